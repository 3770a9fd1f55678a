package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestGoRedisTLS(t *testing.T) {
	dir := t.TempDir()
	authority := newAuthority(t)
	caFile := writePEM(t, dir, "ca.crt", "CERTIFICATE", authority.cert.Raw)
	certFile, keyFile := authority.issue(t, dir, "server", x509.ExtKeyUsageServerAuth)
	clientPair, err := tls.LoadX509KeyPair(authority.issue(t, dir, "client", x509.ExtKeyUsageClientAuth))
	require.NoError(t, err)
	trusting := &tls.Config{RootCAs: authority.pool(), ServerName: "localhost"}
	known := trusting.Clone()
	known.Certificates = []tls.Certificate{clientPair}

	for _, c := range []struct {
		authClients string
		config      *tls.Config
		refused     bool
	}{
		{"no", trusting, false},
		{"optional", trusting, false},
		{"optional", known, false},
		{"yes", known, false},
		{"yes", trusting, true},
		{"no", &tls.Config{ServerName: "localhost"}, true}, // a client that does not trust the server
	} {
		t.Run(c.authClients, func(t *testing.T) {
			port, err := freePort()
			require.NoError(t, err)
			startTroupe(t, "--tls-port", strconv.Itoa(port), "--tls-cert-file", certFile, "--tls-key-file", keyFile,
				"--tls-ca-cert-file", caFile, "--tls-auth-clients", c.authClients)
			o := &redis.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), TLSConfig: c.config}
			if c.refused {
				o.MaxRetries = -1
				require.Error(t, goRedis(t, o).Ping(testContext(t)).Err())
				return
			}
			goRedisStrings(t, o)
			goRedisPipeline(t, o)
			goRedisBigValues(t, o)
		})
	}
}

// authority is a certificate authority of one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := certificateTemplate("authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{cert, key}
}

func certificateTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue writes a certificate for localhost and its key, and returns their files.
func (a authority) issue(t *testing.T, dir, name string, usage x509.ExtKeyUsage) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := certificateTemplate(name)
	template.DNSNames = []string{"localhost"}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{usage}
	cert, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return writePEM(t, dir, name+".crt", "CERTIFICATE", cert), writePEM(t, dir, name+".key", "PRIVATE KEY", der)
}

func writePEM(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}
