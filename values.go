package troupe

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"

	"github.com/troupe-db/troupe/netio/resp"
)

// Error is an error reply, such as "WRONGTYPE Operation against a key holding the wrong kind of value".
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// word writes an argument of Do as a word of a command.
func word(a any) ([]byte, error) {
	switch v := a.(type) {
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	case int:
		return strconv.AppendInt(nil, int64(v), 10), nil
	case float64:
		return resp.AppendFloat(nil, v), nil
	case bool:
		if v {
			return []byte("1"), nil
		}
		return []byte("0"), nil
	}
	switch v := reflect.ValueOf(a); {
	case v.CanInt():
		return strconv.AppendInt(nil, v.Int(), 10), nil
	case v.CanUint():
		return strconv.AppendUint(nil, v.Uint(), 10), nil
	default:
		return nil, fmt.Errorf("troupe: Do cannot send a %T", a)
	}
}

// value turns a decoded reply into plain Go values.
func value(v any) (any, error) {
	if e, ok := v.(resp.Error); ok {
		return nil, Error(e)
	}
	return plain(v), nil
}

func plain(v any) any {
	switch v := v.(type) {
	case resp.Error:
		return Error(v)
	case resp.Status:
		return string(v)
	case resp.BigNumber:
		return string(v)
	case resp.Verbatim:
		return v.Text
	case resp.Attributed:
		return plain(v.Value)
	case resp.Set:
		return plainAll(v)
	case resp.Push:
		return plainAll(v)
	case []any:
		return plainAll(v)
	case resp.Map:
		m := make(map[any]any, len(v)/2)
		for i := 0; i+1 < len(v); i += 2 {
			m[mapKey(plain(v[i]))] = plain(v[i+1])
		}
		return m
	default:
		return v
	}
}

func plainAll(v []any) []any {
	out := make([]any, len(v))
	for i := range v {
		out[i] = plain(v[i])
	}
	return out
}

// mapKey makes a key that Go can compare out of one that it cannot.
func mapKey(k any) any {
	switch k.(type) {
	case []any, map[any]any:
		return fmt.Sprint(k)
	default:
		return k
	}
}

// defaultLoops is how many event loops serve best by default.
func defaultLoops() int {
	switch n := runtime.GOMAXPROCS(0); {
	case n <= 3:
		return 1
	default:
		return n / 2
	}
}
