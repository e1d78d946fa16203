package incident

import (
	"context"
	"slices"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// AddTask adds something to do; owner is a person's id or "". Errors: Invalid, TooMany.
func (r *Room) AddTask(ctx context.Context, by access.Actor, id, words, owner string) (Task, error) {
	var task Task
	_, err := r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		words, err := line("text", words, MaxTask)
		switch {
		case err != nil:
			return err
		case owner != "" && !reference.MatchString(owner):
			return problem.Invalid("owner", "This is not the id of a person.")
		case len(h.i.Tasks) >= MaxTasks:
			return problem.TooMany("An incident has at most %d tasks.", MaxTasks)
		}
		task = Task{ID: newID(), Text: words, Owner: owner, At: h.now}
		h.i.Tasks = append(h.i.Tasks, task)
		return h.tellStaff("tasked", map[string]string{"task": task.ID})
	})
	return task, err
}

// TickTask marks a task done, or not done after all.
func (r *Room) TickTask(ctx context.Context, by access.Actor, id, taskID string, done bool) (Task, error) {
	var task Task
	_, err := r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		t, err := h.i.task(taskID)
		if err != nil {
			return err
		}
		if t.Done != done {
			t.Done, t.By, t.At = done, by.ID, h.now
			if err := h.tellStaff("tasked", map[string]string{"task": t.ID, "done": yes(done)}); err != nil {
				return err
			}
		}
		task = *t
		return nil
	})
	return task, err
}

// DropTask takes a task away.
func (r *Room) DropTask(ctx context.Context, by access.Actor, id, taskID string) error {
	_, err := r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		if _, err := h.i.task(taskID); err != nil {
			return err
		}
		h.i.Tasks = slices.DeleteFunc(h.i.Tasks, func(t Task) bool { return t.ID == taskID })
		return h.tellStaff("tasked", map[string]string{"task": taskID, "dropped": "1"})
	})
	return err
}

func (i *Incident) task(id string) (*Task, error) {
	n := slices.IndexFunc(i.Tasks, func(t Task) bool { return t.ID == id })
	if n < 0 {
		return nil, problem.NotFound("There is no such task in %s.", i.Label())
	}
	return &i.Tasks[n], nil
}
