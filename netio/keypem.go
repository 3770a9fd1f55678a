package netio

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
)

// decryptKeyPEM returns data with its private key in the clear. Keys are encrypted in two ways: by a "Proc-Type"
// header in PEM (OpenSSL before 3), which the standard library still reads, and as PKCS #8 "ENCRYPTED PRIVATE KEY"
// with PBES2 of RFC 8018 (OpenSSL today), which it does not.
func decryptKeyPEM(data []byte, password string) ([]byte, error) {
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return data, nil // not encrypted, or not a key, which X509KeyPair will say
		}
		var der []byte
		var err error
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY":
			block.Type = "PRIVATE KEY"
			der, err = decryptPKCS8(block.Bytes, []byte(password))
		//lint:ignore SA1019 this is how OpenSSL encrypted keys for decades: such files are still in use, and nobody but their owner writes them
		case x509.IsEncryptedPEMBlock(block):
			//lint:ignore SA1019 there is no other reader of that format
			der, err = x509.DecryptPEMBlock(block, []byte(password))
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("encrypted key: %w", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
	}
}

type encryptedPrivateKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2Params struct {
	KeyDerivation pkix.AlgorithmIdentifier
	Encryption    pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	prfs = []struct {
		oid asn1.ObjectIdentifier
		new func() hash.Hash
	}{
		{nil, sha1.New}, // the default, left out
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}, sha1.New},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, sha256.New},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}, sha512.New},
	}

	keyCiphers = []struct {
		oid     asn1.ObjectIdentifier
		keySize int
		new     func(key []byte) (cipher.Block, error)
	}{
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}, 16, aes.NewCipher},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}, 24, aes.NewCipher},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, 32, aes.NewCipher},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}, 24, des.NewTripleDESCipher},
	}

	errKeyFormat   = errors.New("unknown kind of encryption")
	errKeyPassword = errors.New("wrong password")
)

// maxKeyIterations bounds the work that a key file can ask for; OpenSSL writes 2048.
const maxKeyIterations = 10_000_000

func decryptPKCS8(der, password []byte) ([]byte, error) {
	var key encryptedPrivateKey
	var scheme pbes2Params
	var kdf pbkdf2Params
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil, err
	}
	if !key.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, errKeyFormat
	}
	if _, err := asn1.Unmarshal(key.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil, err
	}
	if !scheme.KeyDerivation.Algorithm.Equal(oidPBKDF2) {
		return nil, errKeyFormat
	}
	if _, err := asn1.Unmarshal(scheme.KeyDerivation.Parameters.FullBytes, &kdf); err != nil {
		return nil, err
	}
	if kdf.Iterations < 1 || kdf.Iterations > maxKeyIterations {
		return nil, errKeyFormat
	}
	var iv []byte
	if _, err := asn1.Unmarshal(scheme.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	for _, prf := range prfs {
		if !prf.oid.Equal(kdf.PRF.Algorithm) {
			continue
		}
		for _, c := range keyCiphers {
			if !c.oid.Equal(scheme.Encryption.Algorithm) {
				continue
			}
			secret, err := pbkdf2.Key(prf.new, string(password), kdf.Salt, kdf.Iterations, c.keySize)
			if err != nil {
				return nil, err
			}
			block, err := c.new(secret)
			if err != nil {
				return nil, err
			}
			return decryptCBC(block, iv, key.Data)
		}
	}
	return nil, errKeyFormat
}

// decryptCBC undoes CBC with PKCS #7 padding.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errKeyFormat
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > size || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errKeyPassword
	}
	return plain[:len(plain)-pad], nil
}
