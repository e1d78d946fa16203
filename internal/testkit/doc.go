// Package testkit starts real servers for tests: throw-away, on sockets of their
// own, gone with the test process. Only test files import it; it knows nothing
// of the product.
package testkit
