package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// step is one thing to take down, by name.
type step struct {
	name string
	stop func(ctx context.Context) error
}

// stack takes down what was built up, last first. Each step has its own bound,
// so that one that hangs costs its share and not the others theirs.
type stack struct {
	steps []step
	log   *slog.Logger
}

// stepWithin bounds one step of the teardown.
const stepWithin = 4 * time.Second

// push adds a step that will run before all that were pushed earlier.
func (s *stack) push(name string, stop func(ctx context.Context) error) {
	s.steps = append(s.steps, step{name, stop})
}

// unwind runs every step, last first, and joins what went wrong. Calling it
// again does nothing.
func (s *stack) unwind(ctx context.Context) error {
	steps := s.steps
	s.steps = nil
	var errs []error
	for _, st := range slices.Backward(steps) {
		began := time.Now()
		bounded, cancel := context.WithTimeoutCause(ctx, stepWithin, fmt.Errorf("%s took longer than %s to stop", st.name, stepWithin))
		if err := st.stop(bounded); err != nil {
			s.log.Error("stop", "step", st.name, "err", err)
			errs = append(errs, fmt.Errorf("stop %s: %w", st.name, err))
		}
		cancel()
		s.log.Debug("stopped", "step", st.name, "dur", time.Since(began))
	}
	return errors.Join(errs...)
}

// background runs f in a goroutine of its own and pushes the step that ends
// and joins it. f must return soon after its context ends.
func (s *stack) background(name string, failed func(name string, err error), f func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
			failed(name, err)
		}
	}()
	s.push(name, func(ctx context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}
