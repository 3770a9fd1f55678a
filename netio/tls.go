package netio

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ClientAuth says whether TLS clients need a certificate (tls-auth-clients).
type ClientAuth uint8

const (
	ClientAuthYes      ClientAuth = iota // required
	ClientAuthOptional                   // verified if given
	ClientAuthNo
)

// TLSOptions hold the tls-* parameters of the configuration file. Go's TLS has no say for some of them: it chooses
// the order of ciphers itself (tls-prefer-server-ciphers), has no finite-field Diffie-Hellman (tls-dh-params-file) and
// keeps sessions in tickets, so there is no cache with a size (tls-session-cache-size, tls-session-cache-timeout).
type TLSOptions struct {
	CertFile, KeyFile     string // PEM; CertFile may go on with intermediate certificates
	KeyPassword           string // of an encrypted key
	CACertFile, CACertDir string // whom client certificates must be signed by
	AuthClients           ClientAuth
	Protocols             string // as "TLSv1.2 TLSv1.3"; "" is these two
	Ciphers               string // up to TLS 1.2, as OpenSSL's cipher list; "" is Go's choice
	CipherSuites          string // of TLS 1.3; names are checked, but all three are offered
	NoSessionCaching      bool
}

// Load reads the files and checks the options.
func (o TLSOptions) Load(log *slog.Logger) (*tls.Config, error) {
	config, err := o.load(log)
	if err != nil {
		return nil, fmt.Errorf("netio: TLS: %w", err)
	}
	return config, nil
}

func (o TLSOptions) load(log *slog.Logger) (*tls.Config, error) {
	cert, err := o.certificate()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: o.NoSessionCaching}
	if config.MinVersion, config.MaxVersion, err = parseProtocols(o.Protocols); err != nil {
		return nil, err
	}
	if config.CipherSuites, err = parseCiphers(o.Ciphers); err != nil {
		return nil, err
	}
	if err := checkCipherSuites(o.CipherSuites, log); err != nil {
		return nil, err
	}
	switch o.AuthClients {
	case ClientAuthYes:
		config.ClientAuth = tls.RequireAndVerifyClientCert
	case ClientAuthOptional:
		config.ClientAuth = tls.VerifyClientCertIfGiven
	case ClientAuthNo:
		config.ClientAuth = tls.NoClientCert
		return config, nil
	}
	config.ClientCAs, err = o.authorities()
	return config, err
}

func (o TLSOptions) certificate() (tls.Certificate, error) {
	var none tls.Certificate
	if o.CertFile == "" || o.KeyFile == "" {
		return none, errors.New("a certificate file and a key file are needed")
	}
	chain, err := os.ReadFile(o.CertFile)
	if err != nil {
		return none, err
	}
	key, err := os.ReadFile(o.KeyFile)
	if err != nil {
		return none, err
	}
	if key, err = decryptKeyPEM(key, o.KeyPassword); err != nil {
		return none, fmt.Errorf("%s: %w", o.KeyFile, err)
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return none, fmt.Errorf("%s, %s: %w", o.CertFile, o.KeyFile, err)
	}
	return cert, nil
}

func (o TLSOptions) authorities() (*x509.CertPool, error) {
	if o.CACertFile == "" && o.CACertDir == "" {
		return nil, errors.New("to check client certificates, a CA certificate file or directory is needed")
	}
	pool := x509.NewCertPool()
	if o.CACertFile != "" {
		data, err := os.ReadFile(o.CACertFile)
		if err != nil {
			return nil, err
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s holds no certificate", o.CACertFile)
		}
	}
	if o.CACertDir != "" {
		entries, err := os.ReadDir(o.CACertDir)
		if err != nil {
			return nil, err
		}
		found := false
		for _, entry := range entries {
			// Such directories are full of links by hash, and may hold keys and notes as well.
			data, err := os.ReadFile(filepath.Join(o.CACertDir, entry.Name()))
			found = err == nil && pool.AppendCertsFromPEM(data) || found
		}
		if !found {
			return nil, fmt.Errorf("%s holds no certificate", o.CACertDir)
		}
	}
	return pool, nil
}

var protocolNames = []struct {
	name    string
	version uint16
}{
	{"tlsv1", tls.VersionTLS10},
	{"tlsv1.1", tls.VersionTLS11},
	{"tlsv1.2", tls.VersionTLS12},
	{"tlsv1.3", tls.VersionTLS13},
}

func parseProtocols(list string) (lowest, highest uint16, err error) {
	words := strings.Fields(strings.ToLower(list))
	if len(words) == 0 {
		return tls.VersionTLS12, tls.VersionTLS13, nil
	}
	var versions []uint16
	for _, word := range words {
		found := false
		for _, p := range protocolNames {
			if p.name == word {
				versions = append(versions, p.version)
				found = true
			}
		}
		if !found {
			return 0, 0, fmt.Errorf("unknown protocol version %q", word)
		}
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	lowest, highest = versions[0], versions[len(versions)-1]
	if int(highest-lowest)+1 != len(versions) {
		return 0, 0, fmt.Errorf("protocol versions %q leave one out in between", list)
	}
	return lowest, highest, nil
}
