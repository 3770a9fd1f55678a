package actors

import (
	"sync"
	"sync/atomic"
)

// cronState is what the cron keeps between rounds.
type cronState struct {
	mu      sync.Mutex
	timer   Timer
	stopped bool
	paused  atomic.Bool // DEBUG PAUSE-CRON

	round   int64
	ops     rate
	in, out rate
}

// rate measures a counter per second over the last samples, as INFO's instantaneous figures do.
type rate struct {
	lastNs, last int64
	samples      [16]int64
	at           int
	perSecond    atomic.Int64
}

func (r *rate) sample(nowNs, total int64) {
	if r.lastNs != 0 && nowNs > r.lastNs {
		n := max(total-r.last, 0) // total is less than last after CONFIG RESETSTAT
		r.samples[r.at] = int64(float64(n) * 1e9 / float64(nowNs-r.lastNs))
		r.at = (r.at + 1) % len(r.samples)
		var sum int64
		for _, n := range r.samples {
			sum += n
		}
		r.perSecond.Store(sum / int64(len(r.samples)))
	}
	r.lastNs, r.last = nowNs, total
}

// reset forgets the samples.
func (r *rate) reset() {
	r.samples = [len(r.samples)]int64{}
	r.lastNs, r.at = 0, 0
	r.perSecond.Store(0)
}

func (sys *System) startCron() {
	c := &sys.cronTick
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.timer = sys.clock.clock.AfterFunc(cronEvery, func() {
		sys.actors.Root.Send(sys.expiry.pid, cronMsg{})
		sys.startCron()
	})
}

func (sys *System) stopCron() {
	c := &sys.cronTick
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer != nil {
		c.timer.Stop()
	}
}

// cron runs ten times a second, on the expiry actor.
func (sys *System) cron() {
	c := &sys.cronTick
	if c.paused.Load() {
		return
	}
	c.round++
	if c.round%10 == 0 {
		sys.clock.sync()
	}
	now := sys.clock.now()
	c.ops.sample(now, int64(sys.totalCommands()))
	c.in.sample(now, sys.netIn.Load())
	c.out.sample(now, sys.netOut.Load())
	used := sys.usedBytes()
	if used > sys.stats.peakBytes.Load() {
		sys.stats.peakBytes.Store(used)
	}
	for _, s := range sys.shards {
		// A shard that was idle since its last upkeep has nothing to tidy up.
		if s.active.Swap(false) {
			sys.post(s, s.upkeep)
		}
	}
}

// totalCommands returns how many commands have run.
func (sys *System) totalCommands() uint64 {
	var n uint64
	sys.eachStats(func(st *cmdStats) {
		for i := range st.byID {
			n += st.byID[i].calls.Load()
		}
	})
	return n
}

// eachStats calls fn for the counters of every shard and for those of commands on no single shard.
func (sys *System) eachStats(fn func(*cmdStats)) {
	fn(sys.serverStats)
	for _, s := range sys.shards {
		fn(s.stats)
	}
}
