package ingest

// lanes spreads tasks over at most n units of work that can run at the same time:
// mails that may belong together, by their sender or by what they answer, stay in
// one unit and in their order.
func lanes(tasks []*task, n int) [][]*task {
	group := make([]int, len(tasks)) // the first task that each belongs to
	seen := map[string]int{}
	var root func(i int) int
	root = func(i int) int {
		if group[i] != i {
			group[i] = root(group[i])
		}
		return group[i]
	}
	for i, t := range tasks {
		group[i] = i
		for _, key := range t.keys() {
			first, there := seen[key]
			if !there {
				seen[key] = i
				continue
			}
			a, b := root(first), root(i)
			group[max(a, b)] = min(a, b)
		}
	}
	sizes := map[int]int{}
	for i := range tasks {
		sizes[root(i)]++
	}
	lane, load := map[int]int{}, make([]int, n)
	out := make([][]*task, n)
	for i, t := range tasks {
		g := root(i)
		at, there := lane[g]
		if !there {
			for l := range load {
				if load[l] < load[at] {
					at = l
				}
			}
			lane[g] = at
			load[at] += sizes[g]
		}
		out[at] = append(out[at], t)
	}
	return out
}

// keys are what ties a mail to others.
func (t *task) keys() []string {
	if t.read == nil {
		return []string{"bytes " + t.mail.Hash}
	}
	in := &t.read.Incoming
	keys := make([]string, 0, 4+len(in.References))
	for _, id := range append([]string{in.MessageID, in.InReplyTo}, in.References...) {
		if id != "" {
			keys = append(keys, "id "+id)
		}
	}
	if in.Bounce != nil && in.Bounce.Original != "" {
		keys = append(keys, "id "+in.Bounce.Original)
	}
	return append(keys, "from "+in.From.Address, "bytes "+t.mail.Hash)
}
