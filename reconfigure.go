package troupe

import (
	"strconv"
	"time"

	"github.com/troupe-db/troupe/actors/config"
	"github.com/troupe-db/troupe/netio"
)

// refusal is what CONFIG SET answers when the network does not follow. Why is for the log: it may tell more than a client should know.
type refusal string

func (r refusal) Error() string { return string(r) }

const (
	errListen   refusal = "Unable to listen on this port. Check server logs."
	errBind     refusal = "Failed to bind to specified addresses."
	errTLS      refusal = "Unable to update TLS configuration. Check server logs."
	errEmbedded refusal = "the program that embeds this server has chosen where it listens"
)

// followConfig makes CONFIG SET change the sockets.
func (s *Server) followConfig(o Options, cfg *config.Config) {
	if fixed := o.Addr != "" || len(o.Args) == 0; fixed {
		refuse := func(_, _ *config.Values) error { return errEmbedded }
		cfg.OnApply("port", refuse, "tls-port", "bind")
	} else {
		// Both callbacks go all the way, so that what is set together takes effect together; the second then finds
		// nothing to do.
		cfg.OnApply("port", func(old, v *config.Values) error { return s.rebind(o, old, v, errListen) }, "tls-port")
		cfg.OnApply("bind", func(old, v *config.Values) error { return s.rebind(o, old, v, errBind) })
	}
	if s.net == nil {
		return
	}
	cfg.OnApply("tls-cert-file", func(_, v *config.Values) error { return s.reloadTLS(v) }, "tls-key-file", "tls-key-file-pass",
		"tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients", "tls-protocols", "tls-ciphers", "tls-session-caching")
	cfg.OnApply("maxclients", func(_, v *config.Values) error {
		fits, err := netio.FitMaxClients(v.MaxClients, s.log)
		if err == nil && fits < v.MaxClients {
			err = refusal("The operating system is not able to handle the specified number of clients, try with " + strconv.Itoa(fits))
		}
		return err
	})
	cfg.OnApply("tcp-keepalive", func(_, v *config.Values) error {
		return s.net.SetKeepAlive(time.Duration(v.TCPKeepaliveSec) * time.Second)
	})
}

// rebind listens where v says.
func (s *Server) rebind(o Options, old, v *config.Values, failed error) error {
	at, err := listenAddrs(o, v)
	if err != nil {
		return err
	}
	if v.TLSPort != 0 && old.TLSPort == 0 {
		if err := s.reloadTLS(v); err != nil {
			return err
		}
	}
	if err := s.net.Rebind(at); err != nil {
		s.log.Warn("cannot change where to listen", "err", err)
		return failed
	}
	s.sys.SetListeners(eventLoops(v.EventLoops), s.listeners(at))
	return nil
}

// reloadTLS takes over the certificates and rules of v, unless TLS is off.
func (s *Server) reloadTLS(v *config.Values) error {
	if v.TLSPort == 0 {
		return nil
	}
	if err := s.net.ReloadTLS(*tlsOptions(v)); err != nil {
		s.log.Warn("cannot change the TLS settings", "err", err)
		return errTLS
	}
	return nil
}
