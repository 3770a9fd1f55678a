package actors

import "sync"

// shutdownState makes sure that the server is stopped once.
type shutdownState struct {
	once sync.Once
	stop func(save bool)
}

// requestStop asks whoever started the system to close it. It returns at once.
func (sys *System) requestStop(save bool) {
	sys.shutdown.once.Do(func() {
		if sys.shutdown.stop != nil {
			go sys.shutdown.stop(save)
		}
	})
}
