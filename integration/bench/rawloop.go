package main

import (
	"bytes"
	"math"
	"time"
)

// rawLoop is a closed loop over requests that redis-benchmark cannot send: several commands of which the last one's reply
// is waited for, as MULTI … EXEC. Each client has one request under way and takes the next of them in turn.
type rawLoop struct {
	clients  int
	requests [][]byte
	lines    int // of the reply to each request
}

// calibrate warms every server up and returns how many requests take the last of them about as long as duration.
func (l rawLoop) calibrate(on servers, duration time.Duration) (int, error) {
	var rate float64
	for _, s := range on {
		r, err := l.run(s, 2000)
		if err != nil {
			return 0, err
		}
		rate = r.rate
	}
	return max(2*l.clients, int(math.Ceil(rate*duration.Seconds()))), nil
}

// errorLine returns where an error among the replies begins, -1 when there is none. Replies of a raw loop are short lines
// without text of any user's, and what a read ends with is not looked at again: a split in front of the minus goes unseen,
// and the loop ends by its timeout.
func errorLine(b []byte) int {
	if len(b) > 0 && b[0] == '-' {
		return 0
	}
	if i := bytes.Index(b, []byte("\n-")); i >= 0 {
		return i + 1
	}
	return -1
}
