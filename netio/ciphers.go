package netio

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Configuration files name ciphers as OpenSSL does, in a little language: names and classes, ':' between them, '!' or
// '-' before what to take out, '+' between classes that must all hold. Go knows the standard's names and no classes.

type tlsCipher struct {
	id       uint16
	openssl  string // "ECDHE-RSA-AES128-GCM-SHA256"
	standard string // "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
	secure   bool   // one that Go uses by default
}

// oldCiphers lists the ciphers of TLS up to 1.2; those of 1.3 are another list, in OpenSSL too.
func oldCiphers() (all []tlsCipher) {
	add := func(suites []*tls.CipherSuite, secure bool) {
		for _, s := range suites {
			if slices.Contains(s.SupportedVersions, tls.VersionTLS12) {
				all = append(all, tlsCipher{s.ID, opensslName(s.Name), s.Name, secure})
			}
		}
	}
	add(tls.CipherSuites(), true)
	add(tls.InsecureCipherSuites(), false)
	return all
}

var opensslWords = strings.NewReplacer(
	"RSA_WITH_", "RSA-", "ECDSA_WITH_", "ECDSA-",
	"ECDHE_", "ECDHE-",
	"AES_128_", "AES128-", "AES_256_", "AES256-",
	"CBC_", "", "GCM_", "GCM-",
	"CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305",
	"3DES_EDE_", "DES-CBC3-", "RC4_128_", "RC4-",
)

func opensslName(standard string) string {
	name := opensslWords.Replace(strings.TrimPrefix(standard, "TLS_"))
	return strings.TrimPrefix(name, "RSA-") // RSA key exchange is not mentioned
}

// is tells whether c has the name, or is in the class, that word says. Unknown words name what Go does not have.
func (c *tlsCipher) is(word string) bool {
	has := func(part string) bool { return strings.Contains(c.openssl, part) }
	switch word {
	case c.openssl, c.standard:
		return true
	case "DEFAULT", "HIGH", "ALL":
		return c.secure
	case "ECDHE", "EECDH", "kECDHE", "kEECDH":
		return has("ECDHE")
	case "RSA", "kRSA":
		return !has("ECDHE")
	case "aRSA":
		return !has("ECDSA")
	case "ECDSA", "aECDSA":
		return has("ECDSA")
	case "AES":
		return has("AES")
	case "AES128":
		return has("AES128")
	case "AES256":
		return has("AES256")
	case "AESGCM":
		return has("GCM")
	case "CHACHA20":
		return has("CHACHA20")
	case "3DES":
		return has("CBC3")
	case "RC4":
		return has("RC4")
	case "SHA", "SHA1":
		return strings.HasSuffix(c.openssl, "-SHA")
	case "SHA256":
		return has("SHA256")
	case "SHA384":
		return has("SHA384")
	}
	return false
}

// parseCiphers returns nil, Go's own choice, for an empty list. As in OpenSSL words that mean nothing are passed over,
// but something must be left.
func parseCiphers(list string) ([]uint16, error) {
	words := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(": ,;", r) })
	if len(words) == 0 {
		return nil, nil
	}
	all := oldCiphers()
	var chosen []uint16
	banned := make(map[uint16]bool)
	for _, word := range words {
		bare := strings.TrimLeft(word, "!-+")
		op := word[:len(word)-len(bare)]
		for _, c := range all {
			if slices.ContainsFunc(strings.Split(bare, "+"), func(class string) bool { return !c.is(class) }) {
				continue
			}
			switch op {
			case "!":
				banned[c.id] = true
				fallthrough
			case "-":
				chosen = slices.DeleteFunc(chosen, func(id uint16) bool { return id == c.id })
			case "": // '+' only changes the order, which Go decides
				if !banned[c.id] && !slices.Contains(chosen, c.id) {
					chosen = append(chosen, c.id)
				}
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no usable cipher in %q", list)
	}
	return chosen, nil
}

// checkCipherSuites looks at a list for TLS 1.3, where Go cannot be told what to use.
func checkCipherSuites(list string, log *slog.Logger) error {
	words := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(": ,;", r) })
	var known []string
	for _, s := range tls.CipherSuites() {
		if slices.Contains(s.SupportedVersions, tls.VersionTLS13) {
			known = append(known, s.Name)
		}
	}
	for _, word := range words {
		if !slices.Contains(known, word) {
			return fmt.Errorf("unknown TLS 1.3 cipher suite %q", word)
		}
	}
	if len(words) > 0 && len(words) < len(known) {
		log.Warn("all TLS 1.3 cipher suites stay enabled", "asked", list)
	}
	return nil
}
