package app

import (
	"os"
	"testing"
)

func BenchmarkZZLoad(b *testing.B) {
	for b.Loop() {
		if _, err := LoadConfig("/tmp/p1/big.yaml", os.Environ()); err != nil {
			b.Fatal(err)
		}
	}
}
