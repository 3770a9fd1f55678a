// Package integration tests the server as its users see it: the built binary, over TCP, beside a real redis-server where the two can be compared. It imports
// no other package of this module except its own test support.
//
//   - server_test.go: building, starting and stopping servers
//   - transcript_test.go, testdata/*.txt: recorded sessions, see package transcript
//   - differential_test.go: random commands of all groups, sent to our server and to real Redis; differential_gen_test.go makes them
//     from COMMAND DOCS, differential_compare_test.go compares
//   - concurrency_test.go, concurrency_heavy_test.go: program order, one instant, frozen time, visible before answered
//   - linearizability_test.go, linearizability_model_test.go: histories of concurrent clients, explained by a sequential server or not;
//     linearizability_rejects_test.go: what the explanation rejects
//   - bank_test.go, watch_test.go: transactions and scripts over all shards, WATCH
//   - blocking_order_test.go: in which order waiting clients are served
//   - clients_test.go: go-redis, redis-py, redis-cli, redis-benchmark; wire_test.go: a bare connection for tests that need one
//   - shutdown_test.go: how the process ends
//   - lint_test.go: the project's own rules for its source
//   - bench: the comparison behind make bench
//   - libraries.sh, testdata/bullmq.mjs: libraries that people build on Redis, run by make libraries
//   - redis-suite.sh, .units, .skip: the upstream test suite, run by make redis-suite, not by go test
//
// TROUPE_BIN names a binary to test instead of building one.
package integration
