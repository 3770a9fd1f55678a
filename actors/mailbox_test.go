package actors

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// testInvoker is the actor of a mailbox under test. It notices when two goroutines run it at the same time.
type testInvoker struct {
	t       testing.TB
	inside  atomic.Bool
	last    map[int]int // last message of each poster; the mailbox's exclusion is its only protection
	handled atomic.Int64
	on      func(msg any)
}

type numbered struct{ poster, n int }

func (v *testInvoker) InvokeSystemMessage(any) {}

func (v *testInvoker) InvokeUserMessage(msg any) {
	if !v.inside.CompareAndSwap(false, true) {
		panic("two goroutines run the mailbox")
	}
	switch m := msg.(type) {
	case *numbered:
		if v.last[m.poster] != m.n-1 {
			panic(fmt.Sprintf("message %d of poster %d comes after %d", m.n, m.poster, v.last[m.poster]))
		}
		v.last[m.poster] = m.n
	}
	if v.on != nil {
		v.on(msg)
	}
	v.inside.Store(false)
	v.handled.Add(1)
}

func (v *testInvoker) EscalateFailure(reason any, _ any) { panic(reason) }

func newTestMailbox(t testing.TB) (*mailbox, *testInvoker) {
	m, v := newMailbox(), &testInvoker{t: t, last: make(map[int]int)}
	m.RegisterHandlers(v, actor.NewDefaultDispatcher(1))
	return m, v
}

// TestMailboxManyPosters: nothing is lost, nothing runs twice or at the same time as something else, and the messages
// of each poster run in their order, while others borrow the mailbox all the time.
func TestMailboxManyPosters(t *testing.T) {
	const posters, borrowers, each = 6, 3, 20_000
	m, v := newTestMailbox(t)
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() {
			var r runner
			for n := 1; n <= each; n++ {
				m.post(&r, &numbered{p, n})
			}
		})
	}
	var loans int
	for range borrowers {
		wg.Go(func() {
			var r runner
			for range each {
				if !m.tryLend() {
					continue
				}
				if !v.inside.CompareAndSwap(false, true) {
					panic("lent while it runs")
				}
				loans++
				v.inside.Store(false)
				m.unlend()
				m.settle(&r)
			}
		})
	}
	wg.Wait()
	until(func() bool { return v.handled.Load() == posters*each })
	until(func() bool { return m.state.Load() == idle })
	for p := range posters {
		require.Equal(t, each, v.last[p])
	}
	require.Zero(t, m.UserMessageCount())
}

// TestMailboxPostTells: the caller learns whether its message has run.
func TestMailboxPostTells(t *testing.T) {
	m, v := newTestMailbox(t)
	var r runner
	require.True(t, m.post(&r, &numbered{0, 1}))
	require.EqualValues(t, 1, v.handled.Load())

	require.True(t, m.tryLend())
	require.False(t, m.tryLend())
	require.False(t, m.post(&r, &numbered{0, 2}))
	require.False(t, m.post(&r, &numbered{0, 3}))
	require.Equal(t, 2, m.UserMessageCount())
	require.EqualValues(t, 1, v.handled.Load())

	m.unlend()
	require.False(t, m.tryLend(), "those in the queue come first")
	m.settle(&r)
	require.EqualValues(t, 3, v.handled.Load())
	require.True(t, m.tryLend())
}

// TestMailboxBudget: a goroutine that came to post one message does not work off an endless queue.
func TestMailboxBudget(t *testing.T) {
	m, v := newTestMailbox(t)
	gate := make(chan struct{})
	var scheduled atomic.Int32
	m.dispatcher = heldDispatcher{gate, &scheduled}
	var r runner
	require.True(t, m.tryLend())
	const queued = drainBudget + ownBudget + 10
	for n := range queued {
		m.post(&r, &numbered{0, n + 1})
	}
	m.unlend()
	m.settle(&r)
	require.EqualValues(t, drainBudget, v.handled.Load())
	require.EqualValues(t, 1, scheduled.Load())
	require.Equal(t, running, m.state.Load(), "it belongs to the goroutine that will go on")
	close(gate)
	until(func() bool { return m.state.Load() == idle })
	require.EqualValues(t, queued, v.handled.Load())
	require.EqualValues(t, 2, scheduled.Load())
}

// heldDispatcher runs what is scheduled once gate is closed.
type heldDispatcher struct {
	gate      chan struct{}
	scheduled *atomic.Int32
}

func (d heldDispatcher) Throughput() int { return 1 }
func (d heldDispatcher) Schedule(fn func()) {
	d.scheduled.Add(1)
	go func() {
		<-d.gate
		fn()
	}()
}

// detachable notes when it is detached.
type detachable struct{ detached bool }

func (d *detachable) detach() { d.detached = true }

// TestMailboxDetach: a message is made independent of its poster when it has to wait, and only then.
func TestMailboxDetach(t *testing.T) {
	m, _ := newTestMailbox(t)
	var r runner
	d := new(detachable)
	m.post(&r, d)
	require.False(t, d.detached)
	require.True(t, m.tryLend())
	m.post(&r, d)
	require.True(t, d.detached)
	m.unlend()
	m.settle(&r)
}

// TestMailboxQueueShrinks: a long queue that is worked off slowly does not keep what it has handed out.
func TestMailboxQueueShrinks(t *testing.T) {
	m, _ := newTestMailbox(t)
	for n := range 10_000 {
		m.push(n)
	}
	for n := range 9_000 {
		require.Equal(t, n, first(m.pop()))
	}
	require.LessOrEqual(t, m.head, 2048)
	for n := range 1_000 {
		require.Equal(t, 9_000+n, first(m.pop()))
	}
	require.Zero(t, m.UserMessageCount())
}

func TestMailboxPostDoesNotAllocate(t *testing.T) {
	m, _ := newTestMailbox(t)
	msg := new(detachable)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		var r runner
		m.post(&r, msg)
	}))
}

// first is the message of a pop.
func first(msg any, _ bool) any { return msg }
