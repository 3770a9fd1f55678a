package stream

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/arena"
	"github.com/troupe-db/troupe/datatypes/invariants"
)

var defaults = Limits{NodeMaxBytes: 4096, NodeMaxEntries: 100}

func newStream(t testing.TB) *Stream {
	a := arena.New()
	t.Cleanup(a.Release)
	return New(a)
}

func args(s ...string) (b [][]byte) {
	for _, f := range s {
		b = append(b, []byte(f))
	}
	return b
}

// steps returns how many steps a random test takes: TROUPE_STEPS, else n, less when steps are expensive.
func steps(n int) int {
	if s, err := strconv.Atoi(os.Getenv("TROUPE_STEPS")); err == nil {
		return s
	}
	if invariants.Enabled || testing.Short() {
		return n / 10
	}
	return n
}

// smallNodes makes trees high with few keys.
func smallNodes(t testing.TB, size int) {
	a, b, c := nodeMax, nodeMerge, nodeThin
	nodeMax, nodeMerge, nodeThin = uint8(size), size*3/4, uint8(max(size/4, 2))
	t.Cleanup(func() { nodeMax, nodeMerge, nodeThin = a, b, c })
}

// modelEntry and modelPending are what a plain model has.
type modelEntry struct {
	id     ID
	fields []string
}

type modelPending struct {
	consumer   string
	ms, number int64
}

type modelGroup struct {
	consumers map[string]bool
	pending   map[ID]modelPending
}

// model is a stream as slices and maps.
type model struct {
	entries    []modelEntry
	last       ID
	maxDeleted ID
	added      int64
	groups     map[string]*modelGroup
}

func (m *model) clone() *model {
	n := *m
	n.entries = slices.Clone(m.entries)
	n.groups = map[string]*modelGroup{}
	for name, g := range m.groups {
		ng := &modelGroup{map[string]bool{}, map[ID]modelPending{}}
		for c := range g.consumers {
			ng.consumers[c] = true
		}
		for id, p := range g.pending {
			ng.pending[id] = p
		}
		n.groups[name] = ng
	}
	return &n
}

func (m *model) find(id ID) (int, bool) {
	return slices.BinarySearchFunc(m.entries, id, func(e modelEntry, id ID) int { return e.id.Compare(id) })
}

// read returns the current entry of it.
func read(it *Iter) modelEntry {
	e := modelEntry{id: it.ID()}
	for range it.Pairs() {
		f, v := it.Pair()
		e.fields = append(e.fields, string(f), string(v))
	}
	return e
}

// same compares everything that can be read of s with the model.
func (m *model) same(t testing.TB, s *Stream) {
	require.NoError(t, s.check())
	require.Equal(t, len(m.entries), s.Len())
	require.Equal(t, m.last, s.LastID())
	require.Equal(t, m.maxDeleted, s.MaxDeletedID())
	require.Equal(t, m.added, s.EntriesAdded())
	first := ID{}
	if len(m.entries) > 0 {
		first = m.entries[0].id
	}
	require.Equal(t, first, s.FirstID())
	i := 0
	for it := s.Range(ID{}, MaxID); it.Next(); i++ {
		require.Equal(t, m.entries[i], read(&it))
	}
	require.Equal(t, len(m.entries), i)
	for it := s.RangeReverse(ID{}, MaxID); it.Next(); {
		i--
		require.Equal(t, m.entries[i], read(&it))
	}
	require.Zero(t, i)
	require.Equal(t, len(m.groups), s.Groups())
	for i := range s.Groups() {
		g := s.GroupAt(i)
		m.groups[g.Name()].same(t, g)
	}
}

func (mg *modelGroup) same(t testing.TB, g *Group) {
	require.Equal(t, len(mg.consumers), g.Consumers())
	require.Equal(t, len(mg.pending), g.Pending())
	n := 0
	last := ID{}
	for it := g.RangePending(ID{}, MaxID); it.Next(); n++ {
		p := it.Pending()
		require.True(t, n == 0 || last.Less(p.ID))
		last = p.ID
		require.Equal(t, mg.pending[p.ID], modelPending{p.Consumer.Name(), p.DeliveredMs, p.Deliveries})
	}
	require.Equal(t, len(mg.pending), n)
	for i := range g.Consumers() {
		c := g.ConsumerAt(i)
		require.True(t, mg.consumers[c.Name()])
		for it := c.RangePending(ID{}, MaxID); it.Next(); n-- {
			require.Equal(t, c.Name(), mg.pending[it.ID()].consumer)
			require.Same(t, c, it.Pending().Consumer)
		}
	}
	require.Zero(t, n)
}

// driver changes a stream and its model alike.
type driver struct {
	t testing.TB
	r *rand.Rand
	s *Stream
	m *model
}

func newDriver(t testing.TB, s *Stream, r *rand.Rand) *driver {
	return &driver{t: t, r: r, s: s, m: &model{groups: map[string]*modelGroup{}}}
}

var texts = []string{"", "a", "1", "-1", "127", "128", "-4096", "4096", "32768", "8388608", "2147483648", "9223372036854775807", "007", "field",
	fmt.Sprintf("%063d", 0), fmt.Sprintf("%064d", 0), fmt.Sprintf("%0300d", 1)}

func (d *driver) fields() (f []string) {
	switch d.r.IntN(4) {
	case 0:
		for range 1 + d.r.IntN(4) {
			f = append(f, texts[d.r.IntN(len(texts))], texts[d.r.IntN(len(texts))])
		}
	default:
		f = []string{"a", texts[d.r.IntN(len(texts))], "12", strconv.Itoa(d.r.IntN(1000))}
	}
	return f
}

// someID returns an ID near the entries.
func (d *driver) someID() ID {
	if n := len(d.m.entries); n > 0 && d.r.IntN(3) > 0 {
		return d.m.entries[d.r.IntN(n)].id
	}
	switch d.r.IntN(12) {
	case 0:
		return ID{}
	case 1:
		return MaxID
	}
	return ID{d.r.Uint64N(d.m.last.Ms + 3), d.r.Uint64N(4)}
}

func (d *driver) add() {
	id := d.m.last
	switch d.r.IntN(8) {
	case 0:
		id = ID{id.Ms + d.r.Uint64N(1<<d.r.IntN(40)), d.r.Uint64() >> d.r.IntN(64)}
	case 1, 2:
		id.Ms++
		id.Seq = 0
	default:
		id, _ = id.Next()
	}
	f := d.fields()
	lim := Limits{NodeMaxBytes: 60 + d.r.IntN(700), NodeMaxEntries: d.r.IntN(40)}
	err := d.s.Append(id, args(f...), lim)
	if !d.m.last.Less(id) {
		require.ErrorIs(d.t, err, ErrIDTooSmall)
		return
	}
	require.NoError(d.t, err)
	d.m.entries = append(d.m.entries, modelEntry{id, f})
	d.m.last = id
	d.m.added++
}

func (d *driver) delete() {
	id := d.someID()
	i, ok := d.m.find(id)
	require.Equal(d.t, ok, d.s.Has(id))
	require.Equal(d.t, ok, d.s.Delete(id))
	if ok {
		d.m.entries = slices.Delete(d.m.entries, i, i+1)
		if d.m.maxDeleted.Less(id) {
			d.m.maxDeleted = id
		}
	}
}

// trim works out from the blocks what Trim has to do.
func (d *driver) trim() {
	o := TrimOptions{ByMinID: d.r.IntN(2) == 0, Approx: d.r.IntN(2) == 0, MinID: d.someID(), MaxLen: int64(d.r.IntN(len(d.m.entries) + 2))}
	if o.Approx && d.r.IntN(2) == 0 {
		o.Limit = int64(1 + d.r.IntN(100))
	}
	left := int64(len(d.m.entries))
	want := int64(0)
	d.s.EachBlock(ID{}, func(first ID, lp []byte) bool {
		last, n, err := ValidateBlock(first, lp)
		require.NoError(d.t, err)
		if o.Limit > 0 && want+n > o.Limit {
			return false
		}
		if o.ByMinID && !last.Less(o.MinID) || !o.ByMinID && (left <= o.MaxLen || left-n < o.MaxLen) {
			return false
		}
		want += n
		left -= n
		return true
	})
	if !o.Approx {
		want = max(int64(len(d.m.entries))-o.MaxLen, 0)
		if o.ByMinID {
			i, _ := d.m.find(o.MinID)
			want = int64(i)
		}
	}
	require.Equal(d.t, want, d.s.Trim(o), "%+v", o)
	d.m.entries = slices.Clone(d.m.entries[want:])
}

func (d *driver) ranges() {
	lo, hi := d.someID(), d.someID()
	from, _ := d.m.find(lo)
	to, ok := d.m.find(hi)
	if ok {
		to++
	}
	i := from
	for it := d.s.Range(lo, hi); it.Next(); i++ {
		if d.r.IntN(3) == 0 {
			require.Equal(d.t, d.m.entries[i].id, it.ID()) // leaving out the pairs
		} else {
			require.Equal(d.t, d.m.entries[i], read(&it))
		}
		if d.r.IntN(20) == 0 {
			break
		}
		to = max(to, i+1)
	}
	require.LessOrEqual(d.t, i, max(from, to))
	i = to
	for it := d.s.RangeReverse(lo, hi); it.Next(); {
		i--
		require.Equal(d.t, d.m.entries[i], read(&it))
	}
	require.Equal(d.t, min(from, to), i)
}

var names = []string{"", "g", "ga", "group", "z"}

func (d *driver) group() {
	name := names[d.r.IntN(len(names))]
	mg, g := d.m.groups[name], d.s.Group([]byte(name))
	require.Equal(d.t, mg == nil, g == nil)
	if mg == nil {
		g = d.s.CreateGroup([]byte(name), ID{}, UnknownReads)
		require.NotNil(d.t, g)
		require.Nil(d.t, d.s.CreateGroup([]byte(name), ID{}, 0))
		mg = &modelGroup{map[string]bool{}, map[ID]modelPending{}}
		d.m.groups[name] = mg
	}
	if d.r.IntN(2000) == 0 {
		require.True(d.t, d.s.DestroyGroup([]byte(name)))
		require.False(d.t, d.s.DestroyGroup([]byte(name)))
		delete(d.m.groups, name)
		return
	}
	who := names[d.r.IntN(len(names))] + "c"
	c := g.Consumer([]byte(who))
	require.Equal(d.t, mg.consumers[who], c != nil)
	if c == nil {
		c = g.CreateConsumer([]byte(who), 5)
		require.NotNil(d.t, c)
		require.Nil(d.t, g.CreateConsumer([]byte(who), 5))
		require.EqualValues(d.t, -1, c.ActiveMs())
		mg.consumers[who] = true
	}
	id := d.someID()
	switch d.r.IntN(12) {
	case 0, 1, 2:
		_, ok := mg.pending[id]
		_, found := g.Find(id)
		require.Equal(d.t, ok, found)
		require.Equal(d.t, ok, g.Remove(id))
		delete(mg.pending, id)
	case 3:
		if d.r.IntN(60) == 0 {
			want := 0
			for id, p := range mg.pending {
				if p.consumer == who {
					want++
					delete(mg.pending, id)
				}
			}
			require.Equal(d.t, want, g.DeleteConsumer(c))
			delete(mg.consumers, who)
		}
	case 4: // go over a range and change what is there
		hi := d.someID()
		prev := ID{}
		for it := g.RangePending(id, hi); it.Next(); {
			p := it.Pending()
			require.True(d.t, prev.IsZero() || prev.Less(p.ID))
			prev = p.ID
			require.Equal(d.t, mg.pending[p.ID], modelPending{p.Consumer.Name(), p.DeliveredMs, p.Deliveries})
			switch d.r.IntN(8) {
			case 0:
				g.Remove(p.ID)
				delete(mg.pending, p.ID)
			case 1:
				p.Consumer = c
				p.Deliveries++
				g.Put(p)
				mg.pending[p.ID] = modelPending{who, p.DeliveredMs, p.Deliveries}
			case 2:
				return
			}
		}
	default:
		p := modelPending{who, d.r.Int64(), d.r.Int64() >> d.r.IntN(63)}
		g.Put(Pending{id, c, p.ms, p.number})
		mg.pending[id] = p
	}
}

func (d *driver) step() {
	switch n := d.r.IntN(100); {
	case n < 45:
		d.add()
	case n < 60:
		d.delete()
	case n < 61:
		for range 1 + d.r.IntN(3) {
			d.trim()
			d.add()
		}
	case n < 70:
		d.ranges()
	default:
		d.group()
	}
}

// TestModel compares a stream with the plain model through random changes, views, compactions and clones.
func TestModel(t *testing.T) {
	for _, size := range []int{3, 7, 63} {
		t.Run(fmt.Sprint("nodes of ", size), func(t *testing.T) {
			if size < 63 {
				smallNodes(t, size)
			}
			for seed := range uint64(3) {
				r := rand.New(rand.NewPCG(seed, uint64(size)))
				a := arena.New()
				s := New(a)
				d := newDriver(t, s, r)
				runModel(d, steps(20_000))
				s.Free()
				require.Zero(t, a.Used())
				require.Zero(t, a.Charged())
				a.Release()
			}
		})
	}
}

func runModel(d *driver, n int) {
	type frozen struct {
		v *View
		m *model
	}
	var views []frozen
	for i := range n {
		d.step()
		switch x := d.r.IntN(3000); {
		case x < 3 && len(views) < 4:
			views = append(views, frozen{d.s.Freeze(), d.m.clone()})
			require.True(d.t, d.s.Frozen())
		case x < 6 && len(views) > 0:
			k := d.r.IntN(len(views))
			f := views[k]
			f.m.same(d.t, f.v.Stream())
			d.save(f.v, f.m)
			f.v.End()
			views = slices.Delete(views, k, k+1)
		case x < 8:
			d.m.same(d.t, d.s)
		case x < 9:
			to := arena.New()
			c := d.s.Clone(to)
			d.m.same(d.t, c)
			require.Equal(d.t, to.Used()+to.Charged(), c.Bytes())
			c.Free()
			require.Zero(d.t, to.Used()+to.Charged())
			to.Release()
		case x < 10 && len(views) == 0:
			d.s.a.BeginCompact()
			budget := 1 + d.r.IntN(20)
			for pos, more := d.s.Compact(0, budget); more; pos, more = d.s.Compact(pos, budget) {
				d.step()
			}
			d.s.a.EndCompact()
		}
		if i%1000 == 999 {
			require.Equal(d.t, d.s.a.Used()+d.s.a.Charged(), d.s.Bytes())
		}
	}
	d.m.same(d.t, d.s)
	for _, f := range views {
		f.m.same(d.t, f.v.Stream())
		f.v.End()
	}
	require.False(d.t, d.s.Frozen())
	d.m.same(d.t, d.s)
}

// save goes through a view as saving does, with changes of the stream in between.
func (d *driver) save(v *View, m *model) {
	to := newStream(d.t)
	for more := true; more; {
		more = v.Step(1+d.r.IntN(5), func(first ID, lp []byte) { require.NoError(d.t, to.LoadBlock(first, lp)) })
		for range d.r.IntN(4) {
			d.step()
		}
	}
	i := 0
	for it := to.Range(ID{}, MaxID); it.Next(); i++ {
		require.Equal(d.t, m.entries[i], read(&it))
	}
	require.Equal(d.t, len(m.entries), i)
	require.Equal(d.t, len(m.entries), v.Stream().Len())
}

func TestAppendErrors(t *testing.T) {
	s := newStream(t)
	require.ErrorIs(t, s.Append(ID{}, args("a", "b"), defaults), ErrIDTooSmall)
	require.NoError(t, s.Append(ID{5, 5}, args("a", "b"), defaults))
	require.ErrorIs(t, s.Append(ID{5, 5}, args("a", "b"), defaults), ErrIDTooSmall)
	require.ErrorIs(t, s.Append(ID{4, 9}, args("a", "b"), defaults), ErrIDTooSmall)
	require.NoError(t, s.Append(MaxID, args("a", "b"), defaults))
	require.ErrorIs(t, s.Append(MaxID, args("a", "b"), defaults), ErrIDTooSmall)
	require.Equal(t, 2, s.Len())
	it := s.Range(ID{5, 6}, MaxID)
	require.True(t, it.Next())
	require.Equal(t, MaxID, it.ID())
	require.False(t, it.Next())
	require.False(t, it.Next())
	_, ok := s.NextID(7)
	require.False(t, ok)
	_, ok = s.NextSeq(math.MaxUint64)
	require.False(t, ok)
}

func TestNextID(t *testing.T) {
	s := newStream(t)
	s.SetLastID(ID{10, math.MaxUint64})
	id, ok := s.NextID(9)
	require.True(t, ok)
	require.Equal(t, ID{11, 0}, id)
	id, _ = s.NextID(12)
	require.Equal(t, ID{12, 0}, id)
	_, ok = s.NextSeq(10)
	require.False(t, ok)
	_, ok = s.NextSeq(9)
	require.False(t, ok)
	id, ok = s.NextSeq(11)
	require.True(t, ok)
	require.Equal(t, ID{11, 0}, id)
}

// TestIteratorDoesNotAllocate: neither does finding what it goes over.
func TestIteratorDoesNotAllocate(t *testing.T) {
	s := newStream(t)
	for i := range uint64(5000) {
		require.NoError(t, s.Append(ID{i + 1, 0}, args("f", "v", "n", "17"), defaults))
	}
	sum := 0
	require.Zero(t, testing.AllocsPerRun(20, func() {
		for it := s.Range(ID{100, 0}, ID{400, 0}); it.Next(); {
			for range it.Pairs() {
				f, v := it.Pair()
				sum += len(f) + len(v)
			}
		}
		for it := s.RangeReverse(ID{100, 0}, ID{400, 0}); it.Next(); {
			sum++
		}
		s.Has(ID{77, 7})
	}))
}

// TestAppendDoesNotAllocate: all that grows is in the arena.
func TestAppendDoesNotAllocate(t *testing.T) {
	s := newStream(t)
	f := args("f", "v", "n", "17")
	i := uint64(0)
	add := func() {
		i++
		if s.Append(ID{i, 0}, f, defaults) != nil {
			panic("append")
		}
	}
	for range 1000 {
		add()
	}
	require.Less(t, testing.AllocsPerRun(2000, add), 0.01)
}

// TestSmallStream: a stream of one entry takes little.
func TestSmallStream(t *testing.T) {
	s := newStream(t)
	require.NoError(t, s.Append(ID{1700000000000, 0}, args("field", "value"), defaults))
	require.LessOrEqual(t, s.Bytes(), int64(300))
}
