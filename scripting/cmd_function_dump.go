package scripting

import (
	"encoding/binary"
	"hash/crc64"
	"strings"

	"github.com/troupe-db/troupe/datatypes/command"
)
