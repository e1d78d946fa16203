package people_test

import (
	"strings"
	"testing"

	"evenkeel/internal/people"
)

// The parameters are a promise to whoever audits the record.
func TestPasswordIsHashedWithArgon2id(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.HashDearly()
		p := s.person("p")
		if !strings.HasPrefix(p.PasswordHash, "$argon2id$v=19$m=32768,t=3,p=1$") {
			t.Errorf("hashed as %.40s", p.PasswordHash)
		}
		s.signIn(p, home)
		if again := s.reload(p); again.PasswordHash != p.PasswordHash {
			t.Error("a hash of today was made anew")
		}
	})
}

func TestOldPasswordHashIsMadeAnewAtSignIn(t *testing.T) {
	play(t, func(s *scene) {
		p := s.person("p")
		s.accounts.HashDearly()
		s.signIn(p, home)
		if again := s.reload(p); !strings.HasPrefix(again.PasswordHash, "$argon2id$v=19$m=32768,") {
			t.Errorf("still %.40s", again.PasswordHash)
		}
		s.signIn(p, home)
	})
}

func BenchmarkSignIn(b *testing.B) {
	a := people.NewAccounts(people.Deps{}, nil)
	for b.Loop() {
		a.HashOnce()
	}
}
