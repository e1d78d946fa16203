package people_test

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

func TestHookOpensForItsSourceUntilRevoked(t *testing.T) {
	play(t, func(s *scene) {
		path, hook, err := s.hooks.Make(s.Context(), access.Host, people.HookDraft{Source: "alertmanager", Mapping: map[string]string{"service": "component"}})
		s.must(err)
		secret, ok := strings.CutPrefix(path, "/hooks/alertmanager/")
		if !ok || len(secret) != 26 {
			t.Fatalf("path %s", path)
		}
		got, err := s.hooks.Open(s.Context(), "alertmanager", secret)
		s.must(err)
		if got.ID != hook.ID || got.Name != "alertmanager" || got.Mapping["service"] != "component" || got.Actor().ID != "hook/"+hook.ID || got.Actor().Role != access.RoleMachine {
			t.Errorf("got %+v", got)
		}
		words := map[string]bool{}
		for _, try := range [][2]string{{"slack", secret}, {"alertmanager", "AAAAAAAAAAAAAAAAAAAAAAAAAA"}, {"alertmanager", ""}, {"", secret}} {
			_, err := s.hooks.Open(s.Context(), try[0], try[1])
			s.is(err, problem.KindNotFound)
			words[problem.Public(err)] = true
		}
		s.must(s.hooks.Revoke(s.Context(), access.Host, hook.ID))
		_, err = s.hooks.Open(s.Context(), "alertmanager", secret)
		s.is(err, problem.KindNotFound)
		words[problem.Public(err)] = true
		if len(words) != 1 {
			t.Errorf("told apart: %v", words)
		}
		s.is(s.hooks.Revoke(s.Context(), access.Host, hook.ID), problem.KindConflict)
		s.want(s.verbs("hook", hook.ID), []string{"hook.made", "hook.revoked"})
	})
}

func TestHookRevokedElsewhereShutsSoon(t *testing.T) {
	play(t, func(s *scene) {
		path, hook, err := s.hooks.Make(s.Context(), access.Host, people.HookDraft{Source: "slack"})
		s.must(err)
		secret := strings.TrimPrefix(path, "/hooks/slack/")
		elsewhere := people.NewHooks(s.deps, s.refused)
		_, err = elsewhere.Open(s.Context(), "slack", secret)
		s.must(err)
		s.must(s.hooks.Revoke(s.Context(), access.Host, hook.ID))
		<-time.After(5 * time.Second)
		_, err = elsewhere.Open(s.Context(), "slack", secret)
		s.is(err, problem.KindNotFound)
	})
}

func TestHookDraftIsChecked(t *testing.T) {
	play(t, func(s *scene) {
		for what, d := range map[string]people.HookDraft{
			"source":  {Source: "unknown"},
			"none":    {},
			"name":    {Source: "slack", Name: "a\nb"},
			"mapping": {Source: "alertmanager", Mapping: map[string]string{"a": ""}},
		} {
			_, _, err := s.hooks.Make(s.Context(), access.Host, d)
			if problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		p := s.person("p", access.RoleOperator)
		_, _, err := s.hooks.Make(s.Context(), p.Actor(), people.HookDraft{Source: "slack"})
		s.is(err, problem.KindForbidden)
		_, err = s.hooks.List(s.Context(), p.Actor())
		s.is(err, problem.KindForbidden)
	})
}
