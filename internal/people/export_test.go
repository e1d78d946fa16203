package people

// HashCheaply makes passwords cost next to nothing, for tests that are not about that.
func (a *Accounts) HashCheaply() { a.hasher.params.Memory, a.hasher.params.Iterations = 64, 1 }

// HashDearly goes back to what a hub does.
func (a *Accounts) HashDearly() { a.hasher.params = newHasher().params }

// HashOnce compares one password.
func (a *Accounts) HashOnce() { _, _, _ = a.hasher.matches("correct horse battery", "") }
