package people_test

import (
	"strconv"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
)

// Every refusal is in the journal, and a million of them are a handful of entries.
func TestRefusalsAreJournaledAndBounded(t *testing.T) {
	play(t, func(s *scene) {
		s.refused.Note(access.Visitor, "", people.ReasonPassword, "")
		s.want(s.refusals(people.ReasonPassword), []string{"1"}) // at once
		for range 1000 {
			s.refused.Note(access.Visitor, "", people.ReasonPassword, "")
		}
		s.want(s.refusals(people.ReasonPassword), []string{"1"})
		<-time.After(2 * time.Minute)
		s.want(s.refusals(people.ReasonPassword), []string{"1", "1000"})
		<-time.After(2 * time.Minute)
		s.refused.Note(access.Visitor, "", people.ReasonPassword, "")
		s.want(s.refusals(people.ReasonPassword), []string{"1", "1000", "1"})
	})
}

func TestRefusalsOfManyAreCountedTogether(t *testing.T) {
	play(t, func(s *scene) {
		const n = 5000
		for i := range n {
			s.refused.Note(access.Actor{ID: "token/" + strconv.Itoa(i), Role: access.RoleMachine}, "", people.ReasonForbidden, access.PersonEdit)
		}
		<-time.After(2 * time.Minute)
		all := s.refusals(people.ReasonForbidden)
		sum := 0
		for _, count := range all {
			c, err := strconv.Atoi(count)
			s.must(err)
			sum += c
		}
		if sum != n || len(all) > 600 {
			t.Errorf("%d entries tell of %d refusals", len(all), sum)
		}
	})
}

func TestRefusalsWaitForTheRecord(t *testing.T) {
	play(t, func(s *scene) {
		s.store.SetAway(errCable)
		s.refused.Note(access.Visitor, "", people.ReasonCode, "")
		<-time.After(time.Second)
		s.store.SetAway(nil)
		<-time.After(2 * time.Minute)
		s.want(s.refusals(people.ReasonCode), []string{"1"})
	})
}

func TestRefusalNamesWhoAndWhat(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p", access.RoleViewer)
		s.refused.Note(p.Actor(), p.ID, people.ReasonForbidden, access.IncidentUpdate)
		s.refusals(people.ReasonForbidden)
		all := s.entries()
		e := all[len(all)-1]
		if e.Actor.ID != "person/"+p.ID || e.Subject.ID != p.ID || e.Payload["action"] != "incident.update" || e.Actor.Role != access.RoleViewer {
			t.Errorf("got %+v", e)
		}
	})
}
