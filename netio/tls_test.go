package netio

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority issues certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	dir  string
}

var overTLS = dialer{
	name: "tls",
	options: func(t *testing.T, o *Options) {
		o.Listen.TLSPort = AnyPort
		a := newAuthority(t)
		o.TLS = &TLSOptions{AuthClients: ClientAuthNo}
		o.TLS.CertFile, o.TLS.KeyFile = a.issue(t, "server")
	},
	connect: func(h *house) (net.Conn, error) {
		return tls.Dial("tcp", h.TLSAddr().String(), &tls.Config{InsecureSkipVerify: true})
	},
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), pool: x509.NewCertPool()}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.pool.AddCert(a.cert)
	writePEM(t, a.caFile(), "CERTIFICATE", der)
	return a
}

func (a *authority) caFile() string { return filepath.Join(a.dir, "ca.pem") }

// issue writes a certificate for this machine and its key.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", keyDER)
	return certFile, keyFile
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// echo connects with config and sees whether the server serves it.
func (h *house) echo(config *tls.Config) (*tls.Conn, error) {
	raw, err := net.Dial("tcp", h.TLSAddr().String())
	require.NoError(h.t, err)
	require.NoError(h.t, raw.SetDeadline(time.Now().Add(patience)))
	config = config.Clone()
	config.ServerName = "127.0.0.1"
	nc := tls.Client(raw, config)
	h.t.Cleanup(func() { _ = nc.Close() })
	if _, err := nc.Write([]byte("hello")); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(nc, make([]byte, 5))
	return nc, err
}

func TestTLSClientCertificates(t *testing.T) {
	ours, strangers := newAuthority(t), newAuthority(t)
	var o Options
	o.Listen = Listen{Bind: []string{"127.0.0.1"}, TLSPort: AnyPort}
	base := TLSOptions{}
	base.CertFile, base.KeyFile = ours.issue(t, "server")
	client := func(a *authority) *tls.Config {
		config := &tls.Config{RootCAs: ours.pool}
		if a != nil {
			cert, err := tls.LoadX509KeyPair(a.issue(t, "client"))
			require.NoError(t, err)
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		}
		return config
	}
	for _, c := range []struct {
		name                  string
		auth                  ClientAuth
		none, known, stranger bool
	}{
		{"yes", ClientAuthYes, false, true, false},
		{"optional", ClientAuthOptional, true, true, false},
		{"no", ClientAuthNo, true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := base
			options.AuthClients = c.auth
			options.CACertFile = ours.caFile()
			o.TLS = &options
			h := startHouse(t, o, nil)
			_, err := h.echo(client(nil))
			require.Equal(t, c.none, err == nil, "%v", err)
			_, err = h.echo(client(ours))
			require.Equal(t, c.known, err == nil, "%v", err)
			_, err = h.echo(client(strangers))
			require.Equal(t, c.stranger, err == nil, "%v", err)
		})
	}
	t.Run("authorities in a directory", func(t *testing.T) {
		options := base
		options.CACertDir = ours.dir // with keys in it, which do not matter
		o.TLS = &options
		h := startHouse(t, o, nil)
		_, err := h.echo(client(ours))
		require.NoError(t, err)
	})
}

func TestTLSReload(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}, TLSPort: AnyPort}, TLS: &TLSOptions{AuthClients: ClientAuthNo}}
	o.TLS.CertFile, o.TLS.KeyFile = a.issue(t, "server")
	h := startHouse(t, o, nil)
	old, err := h.echo(&tls.Config{RootCAs: a.pool})
	require.NoError(t, err)

	broken := *o.TLS
	broken.CertFile = filepath.Join(a.dir, "none.pem")
	require.ErrorIs(t, h.ReloadTLS(broken), os.ErrNotExist)
	_, err = h.echo(&tls.Config{RootCAs: a.pool})
	require.NoError(t, err)

	renewed := *o.TLS
	renewed.CertFile, renewed.KeyFile = b.issue(t, "server")
	require.NoError(t, h.ReloadTLS(renewed))
	_, err = h.echo(&tls.Config{RootCAs: b.pool})
	require.NoError(t, err)
	_, err = h.echo(&tls.Config{RootCAs: a.pool})
	require.Error(t, err)
	send(t, old, "still here")
	expect(t, old, "still here")
}

func TestTLSVersionsAndCiphers(t *testing.T) {
	a := newAuthority(t)
	o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}, TLSPort: AnyPort}, TLS: &TLSOptions{
		AuthClients: ClientAuthNo, Protocols: "TLSv1.2", Ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384", NoSessionCaching: true,
	}}
	o.TLS.CertFile, o.TLS.KeyFile = a.issue(t, "server")
	h := startHouse(t, o, nil)
	nc, err := h.echo(&tls.Config{RootCAs: a.pool})
	require.NoError(t, err)
	require.Equal(t, uint16(tls.VersionTLS12), nc.ConnectionState().Version)
	require.Equal(t, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, nc.ConnectionState().CipherSuite)
	_, err = h.echo(&tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS13})
	require.Error(t, err)
}

func TestTLSSessionsResume(t *testing.T) {
	for _, off := range []bool{false, true} {
		a := newAuthority(t)
		o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}, TLSPort: AnyPort}, TLS: &TLSOptions{
			AuthClients: ClientAuthNo, NoSessionCaching: off,
		}}
		o.TLS.CertFile, o.TLS.KeyFile = a.issue(t, "server")
		h := startHouse(t, o, nil)
		config := &tls.Config{RootCAs: a.pool, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		_, err := h.echo(config)
		require.NoError(t, err)
		nc, err := h.echo(config)
		require.NoError(t, err)
		require.Equal(t, !off, nc.ConnectionState().DidResume)
	}
}

// Clients that never finish, or never start, their handshake do not keep Stop waiting.
func TestStopDuringHandshake(t *testing.T) {
	o := Options{Listen: Listen{Bind: []string{"127.0.0.1"}}}
	overTLS.options(t, &o)
	h := startHouse(t, o, nil)
	raw, err := net.Dial("tcp", h.TLSAddr().String())
	require.NoError(t, err)
	defer raw.Close()
	eventually(t, func() bool {
		h.Server.mu.Lock()
		defer h.Server.mu.Unlock()
		return len(h.streams) == 1
	})
	require.NoError(t, h.Stop(context.Background()))
	_, err = raw.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestEncryptedKeys(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for _, file := range []string{"key-legacy.pem", "key-pkcs8-aes256.pem", "key-pkcs8-des3.pem"} {
		t.Run(file, func(t *testing.T) {
			o := TLSOptions{
				CertFile: "testdata/key-cert.pem", KeyFile: filepath.Join("testdata", file),
				KeyPassword: "secret", AuthClients: ClientAuthNo,
			}
			_, err := o.Load(log)
			require.NoError(t, err)
			for _, password := range []string{"", "wrong"} {
				o.KeyPassword = password
				_, err = o.Load(log)
				require.Error(t, err)
			}
		})
	}
}

func TestTLSOptionErrors(t *testing.T) {
	a := newAuthority(t)
	good := TLSOptions{AuthClients: ClientAuthNo}
	good.CertFile, good.KeyFile = a.issue(t, "server")
	_, err := good.Load(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	for name, spoil := range map[string]func(*TLSOptions){
		"no certificate":      func(o *TLSOptions) { o.CertFile = "" },
		"no key":              func(o *TLSOptions) { o.KeyFile = "" },
		"key of another":      func(o *TLSOptions) { _, o.KeyFile = a.issue(t, "other") },
		"no authority":        func(o *TLSOptions) { o.AuthClients = ClientAuthYes },
		"empty authority":     func(o *TLSOptions) { o.AuthClients, o.CACertFile = ClientAuthYes, o.KeyFile },
		"empty directory":     func(o *TLSOptions) { o.AuthClients, o.CACertDir = ClientAuthYes, t.TempDir() },
		"no such directory":   func(o *TLSOptions) { o.AuthClients, o.CACertDir = ClientAuthYes, "/none" },
		"unknown protocol":    func(o *TLSOptions) { o.Protocols = "TLSv1.4" },
		"gap in protocols":    func(o *TLSOptions) { o.Protocols = "TLSv1.1 TLSv1.3" },
		"no cipher left":      func(o *TLSOptions) { o.Ciphers = "MEDIUM:!aNULL" },
		"unknown TLS 1.3 one": func(o *TLSOptions) { o.CipherSuites = "TLS_AES_512" },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			spoil(&o)
			_, err := o.Load(slog.New(slog.DiscardHandler))
			require.Error(t, err)
		})
	}
}

func TestParseCiphers(t *testing.T) {
	for _, c := range []struct {
		list string
		want []uint16
	}{
		{"", nil},
		{"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305", []uint16{
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}},
		{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}},
		{"AES128-SHA", []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
		{"ECDHE+AESGCM:!aECDSA:!AES128", []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}},
		{"!AES256:ECDHE+aRSA+AESGCM", []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
		{"ECDHE+aRSA+AESGCM:-AES256:NOTHING", []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
	} {
		got, err := parseCiphers(c.list)
		require.NoError(t, err, c.list)
		require.Equal(t, c.want, got, c.list)
	}
	all, err := parseCiphers("DEFAULT:!MEDIUM")
	require.NoError(t, err)
	require.Contains(t, all, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	require.NotContains(t, all, tls.TLS_RSA_WITH_RC4_128_SHA)
}
