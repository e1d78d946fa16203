package console

import (
	"evenkeel/internal/status"
)

// markOfWork is the mark of a piece of maintenance.
func markOfWork(s status.MaintenanceState) Mark {
	switch s {
	case status.MaintenanceScheduled:
		return Mark{"maint", "Planned"}
	case status.MaintenanceInProgress:
		return Mark{"maint", "In progress"}
	case status.MaintenanceVerifying:
		return Mark{"maint", "Being checked"}
	case status.MaintenanceCompleted:
		return Mark{"ok", "Done"}
	}
	return Mark{"unknown", "Called off"}
}

// namesOf lists the names of components by ID, as a sentence does.
func namesOf(s *state, ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		if one := s.byID[id]; one != nil {
			names = append(names, one.Name)
		} else {
			names = append(names, id)
		}
	}
	return sentence(names, 3)
}
