package troupe_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/troupe-db/troupe"
)

// A server inside the process, reached over TCP by an ordinary client.
func Example() {
	srv, err := troupe.Start(troupe.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	ctx := context.Background()
	client := redis.NewClient(&redis.Options{Addr: srv.Addr()})
	defer client.Close()
	if err := client.Set(ctx, "greeting", "hello", 0).Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Get(ctx, "greeting").Val())
	// Output: hello
}

// Commands run without a socket.
func ExampleServer_Do() {
	srv, err := troupe.Start(troupe.Options{Addr: troupe.NoListener})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	ctx := context.Background()
	if _, err := srv.Do(ctx, "MSET", "a", 1, "b", "two"); err != nil {
		log.Fatal(err)
	}
	v, err := srv.Do(ctx, "MGET", "a", "b", "c")
	fmt.Println(v, err)
	_, err = srv.Do(ctx, "INCR", "b")
	fmt.Println(err)
	// Output:
	// [1 two <nil>] <nil>
	// ERR value is not an integer or out of range
}

// In a test, time moves when the test says so.
func ExampleStart_clock() {
	clock := troupe.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	srv, err := troupe.Start(troupe.Options{Addr: troupe.NoListener, Clock: clock, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	ctx := context.Background()
	do := func(args ...any) any {
		v, err := srv.Do(ctx, args...)
		if err != nil {
			log.Fatal(err)
		}
		return v
	}
	do("SET", "session", "alice", "EX", 60)
	clock.Advance(59 * time.Second)
	fmt.Println(do("GET", "session"), do("TTL", "session"))
	clock.Advance(time.Second)
	fmt.Println(do("GET", "session"), do("DBSIZE"))
	// Output:
	// alice 1
	// <nil> 0
}

// The configuration of redis.conf, as on the command line.
func ExampleStart_configuration() {
	srv, err := troupe.Start(troupe.Options{
		Addr: "127.0.0.1:0",
		Args: []string{"--requirepass", "secret", "--databases", "4"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	ctx := context.Background()
	client := redis.NewClient(&redis.Options{Addr: srv.Addr(), Password: "secret", DB: 3})
	defer client.Close()
	fmt.Println(client.Ping(ctx).Val())
	// Output: PONG
}
