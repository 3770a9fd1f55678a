package integration

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPubSubGoRedis subscribes with go-redis, in both protocols.
func TestPubSubGoRedis(t *testing.T) {
	srv := startTroupe(t)
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", proto), func(t *testing.T) {
			ctx := testContext(t)
			c := goRedis(t, &redis.Options{Addr: srv.Addr, Protocol: proto})
			sub := c.Subscribe(ctx, "news")
			defer sub.Close()
			require.NoError(t, sub.PSubscribe(ctx, "w*"))
			for range 2 { // the confirmations
				_, err := sub.Receive(ctx)
				require.NoError(t, err)
			}
			for _, channel := range []string{"news", "weather", "other"} {
				want := int64(1)
				if channel == "other" {
					want = 0
				}
				n, err := c.Publish(ctx, channel, "about "+channel).Result()
				require.NoError(t, err)
				assert.Equal(t, want, n, channel)
			}
			require.NoError(t, sub.Ping(ctx, "still there"))
			first, err := sub.ReceiveMessage(ctx)
			require.NoError(t, err)
			assert.Equal(t, &redis.Message{Channel: "news", Payload: "about news"}, first)
			second, err := sub.ReceiveMessage(ctx)
			require.NoError(t, err)
			assert.Equal(t, &redis.Message{Channel: "weather", Pattern: "w*", Payload: "about weather"}, second)
		})
	}
}

// TestPubSubOrder has several publishers and subscribers: each subscriber gets all messages of each publisher in order, and
// all subscribers the same sequence.
func TestPubSubOrder(t *testing.T) {
	const publishers, subscribers, each = 3, 4, 2000
	srv := startTroupe(t)
	got := make([][]string, subscribers)
	ready := make(chan struct{}, subscribers)
	var workers []func(*wire) error
	for i := range subscribers {
		workers = append(workers, func(w *wire) error {
			w.do("SUBSCRIBE", "c")
			ready <- struct{}{}
			for len(got[i]) < publishers*each && w.err == nil {
				got[i] = append(got[i], array(w.reply())[2].(string))
			}
			return nil
		})
	}
	begin := make(chan struct{})
	for p := range publishers {
		workers = append(workers, func(w *wire) error {
			<-begin
			for n := 0; n < each; n += 100 {
				for k := n; k < n+100; k++ {
					w.add("PUBLISH", "c", fmt.Sprintf("%d:%d", p, k))
				}
				w.flush()
				for range 100 {
					if r := w.reply(); w.err == nil && r != subscribers {
						return fmt.Errorf("%v receivers", r)
					}
				}
			}
			return nil
		})
	}
	go func() {
		for range subscribers {
			<-ready
		}
		close(begin)
	}()
	together(t, srv.Addr, workers...)
	next := [publishers]int{}
	for _, msg := range got[0] {
		var p, k int
		_, err := fmt.Sscanf(msg, "%d:%d", &p, &k)
		require.NoError(t, err)
		require.Equal(t, next[p], k, "publisher %d", p)
		next[p]++
	}
	for i := range got {
		require.Equal(t, got[0], got[i], "subscriber %d", i)
	}
}

// TestPubSubSlowSubscriber has a subscriber that never reads: it is closed at its limit and costs the others nothing.
func TestPubSubSlowSubscriber(t *testing.T) {
	const messages = 400
	srv := startTroupe(t, "--client-output-buffer-limit", "pubsub 1mb 0 0")
	slow, good, pub := dialWire(t, srv.Addr), dialWire(t, srv.Addr), dialWire(t, srv.Addr)
	slow.do("SUBSCRIBE", "c")
	good.do("SUBSCRIBE", "c")
	payload := string(make([]byte, 64<<10))
	alone := false
	for range messages {
		n := pub.do("PUBLISH", "c", payload)
		alone = n == 1
		require.Len(t, array(good.reply())[2], len(payload))
	}
	require.NoError(t, good.err)
	require.True(t, alone, "the slow subscriber is closed")
	require.Equal(t, []any{"c", 1}, pub.do("PUBSUB", "NUMSUB", "c"))
	require.NoError(t, pub.err)
}

// TestPubSubManyChannels has a client subscribe to very many channels and vanish.
func TestPubSubManyChannels(t *testing.T) {
	const channels = 100_000
	srv := startTroupe(t)
	sub, c := dialWire(t, srv.Addr), dialWire(t, srv.Addr)
	for i := 0; i < channels; i += 1000 {
		args := []string{"SUBSCRIBE"}
		for k := i; k < i+1000; k++ {
			args = append(args, "c"+strconv.Itoa(k))
		}
		sub.add(args...)
		sub.flush()
		for range 1000 {
			sub.reply()
		}
	}
	require.NoError(t, sub.err)
	require.Len(t, array(c.do("PUBSUB", "CHANNELS")), channels)
	require.Equal(t, 1, c.do("PUBLISH", "c99999", "x"))
	require.Equal(t, []any{"message", "c99999", "x"}, sub.reply())
	require.NoError(t, sub.conn.Close())
	for c.err == nil && len(array(c.do("PUBSUB", "CHANNELS"))) > 0 {
	}
	require.NoError(t, c.err)
	require.Equal(t, 0, c.do("PUBLISH", "c1", "x"))
}

// TestPubSubBlockedSubscriber publishes to a client in RESP3 that waits in a blocking command.
func TestPubSubBlockedSubscriber(t *testing.T) {
	srv := startTroupe(t)
	sub, c := dialWire(t, srv.Addr), dialWire(t, srv.Addr)
	sub.add("HELLO", "3")
	sub.add("SUBSCRIBE", "c")
	sub.add("BLPOP", "list", "0")
	sub.flush()
	_, err := sub.in.ReadBytes('>') // HELLO's reply has none
	require.NoError(t, err)
	readLine := func(want string) {
		t.Helper()
		line, err := sub.in.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want+"\r\n", line)
	}
	for _, line := range []string{"3", "$9", "subscribe", "$1", "c", ":1"} {
		readLine(line)
	}
	require.Equal(t, 1, c.do("PUBLISH", "c", "while it waits"))
	for _, line := range []string{">3", "$7", "message", "$1", "c", "$14", "while it waits"} {
		readLine(line)
	}
	require.Equal(t, 1, c.do("RPUSH", "list", "x"))
	for _, line := range []string{"*2", "$4", "list", "$1", "x"} {
		readLine(line)
	}
}
