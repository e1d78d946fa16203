package config

import "unicode/utf8"

// maxSuggest is the longest word, in bytes, for which a neighbour is sought.
const maxSuggest = 64

// Nearest gives the name that was most likely meant by word, or "" when none is
// close: at most one edit for short words, a third of the word for long ones. A
// swap of two neighbours counts as one edit.
func Nearest(word string, names []string) string {
	if word == "" || len(word) > maxSuggest {
		return ""
	}
	limit := max(1, utf8.RuneCountInString(word)/3)
	best, found := "", limit+1
	for _, name := range names {
		if len(name) > maxSuggest || name == word {
			continue
		}
		if d := edits(word, name); d < found {
			best, found = name, d
		}
	}
	return best
}

// didYouMean is Nearest as a hint, or otherwise when nothing is close.
func didYouMean(word string, names []string, otherwise string) string {
	if near := Nearest(word, names); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise
}

// edits is the optimal string alignment distance: insertions, deletions,
// replacements and swaps of neighbours.
func edits(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, prev, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(t)]
}
