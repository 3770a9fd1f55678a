// Command bench compares a server with redis-server side by side and says which of the project's targets it meets.
//
//	go run ./integration/bench -subject bin/troupe [-peer redis-server] [-quick] [-runs N] [-only name,…]
//
// Absolute figures on a machine that does other work as well move by a factor of two within a minute; the ratio of two
// runs taken one right after the other moves far less. So both servers are up at the same time, runs alternate (A B, B
// A, A B …), and what is reported is the median of the pairs' ratios, subject ÷ peer, with the lowest and the highest
// pair beside it. Processor time per operation is the steadiest figure of all: it is that of the server alone.
//
// Closed loops, where each client waits for its reply before it sends again, are driven by redis-benchmark, or by a loop
// like it where a request is several commands. Latencies under a disturbance and of wake-ups come from the package's own
// open loop, which sends at a fixed rate whatever the server does and counts from the time a request should have been
// sent: a stall is charged to every request it held up.
//
// # Files
//
//   - scenario.go: the list of scenarios, and how one measures. A new scenario is one file and one line there.
//   - throughput.go, transactions.go, scripts.go, wakeups.go, memory.go, stalls.go, expiry.go: the scenarios with their targets
//   - figure.go, report.go: figures, targets, medians; the table
//   - server.go, client.go, closedloop.go, rawloop.go, openloop.go: what scenarios are made of
//   - os_linux.go, rawloop_linux.go: processor time, resident memory, exact sleeps and the raw loop's polling, which need Linux
package main
