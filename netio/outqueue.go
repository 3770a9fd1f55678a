package netio

// outChunk is the least a queue allocates: a client that is slow gets many small messages (publish, monitor), and
// one allocation and one write(2) should take a lot of them.
const outChunk = 16 << 10

// outQueue holds the output of one connection that the kernel has not taken yet, oldest first. It owns its bytes.
// gnet has a buffer for this, but tells nobody when it has run dry, and looks at all of its nodes for each write.
type outQueue struct {
	chunks [][]byte
	off    int // bytes of chunks[0] already sent
	size   int
}

func (q *outQueue) empty() bool { return q.size == 0 }

// push copies p to the end.
func (q *outQueue) push(p []byte) {
	q.size += len(p)
	if n := len(q.chunks); n > 0 {
		last := q.chunks[n-1]
		fits := min(len(p), cap(last)-len(last)) // of a chunk that was given, what lies behind it is ours too
		q.chunks[n-1] = append(last, p[:fits]...)
		p = p[fits:]
	}
	if len(p) == 0 {
		return
	}
	if len(p) >= outChunk {
		q.chunks = append(q.chunks, append([]byte(nil), p...))
		return
	}
	q.chunks = append(q.chunks, append(make([]byte, 0, outChunk), p...))
}

// give adds p, which the queue owns from now on, to the end.
func (q *outQueue) give(p []byte) {
	q.size += len(p)
	q.chunks = append(q.chunks, p)
}

// front is the part to send next; it stays valid until pop.
func (q *outQueue) front() []byte { return q.chunks[0][q.off:] }

// pop forgets the first n bytes, n ≤ len(front()).
func (q *outQueue) pop(n int) {
	q.size -= n
	q.off += n
	if q.off < len(q.chunks[0]) {
		return
	}
	q.off = 0
	q.chunks[0] = nil
	q.chunks = q.chunks[1:]
	if len(q.chunks) == 0 {
		q.chunks = nil // the array of a long queue is not kept by a connection that caught up
	}
}
