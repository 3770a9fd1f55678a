package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestManualClock(t *testing.T) {
	start := time.Unix(1000, 0)
	c := NewManualClock(start)
	require.Equal(t, start, c.Now())
	var fired []string
	note := func(name string) func() {
		return func() { fired = append(fired, name+" "+c.Now().Sub(start).String()) }
	}
	c.AfterFunc(3*time.Second, note("three"))
	c.AfterFunc(time.Second, note("one"))
	c.AfterFunc(time.Second, note("one again"))
	stopped := c.AfterFunc(2*time.Second, note("never"))
	c.AfterFunc(2*time.Second, func() {
		note("two")()
		c.AfterFunc(500*time.Millisecond, note("two and a half"))
		c.AfterFunc(time.Hour, note("late"))
	})
	require.True(t, stopped.Stop())
	require.False(t, stopped.Stop())

	c.Advance(999 * time.Millisecond)
	require.Empty(t, fired)
	c.Advance(2001 * time.Millisecond)
	require.Equal(t, []string{"one 1s", "one again 1s", "two 2s", "two and a half 2.5s", "three 3s"}, fired)
	require.Equal(t, start.Add(3*time.Second), c.Now())

	done := make(chan struct{})
	timer := c.AfterFunc(0, func() { close(done) })
	<-done
	require.False(t, timer.Stop())
}
