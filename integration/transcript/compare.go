package transcript

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var numberText = regexp.MustCompile(`-?\d+(?:\.\d+)?`)

// matches compares a rendered reply with an expectation.
func (s *step) matches(want, got []string) bool {
	switch {
	case s.regex:
		re, err := regexp.Compile(`(?s)\A(?:` + strings.Join(want, "\n") + `)\z`)
		return err == nil && re.MatchString(strings.Join(got, "\n"))
	case s.approx > 0:
		return slices.EqualFunc(want, got, s.near)
	}
	return slices.Equal(want, got)
}

// near compares two lines whose numbers may differ by approx.
func (s *step) near(want, got string) bool {
	if numberText.ReplaceAllString(want, "#") != numberText.ReplaceAllString(got, "#") {
		return false
	}
	return slices.EqualFunc(numberText.FindAllString(want, -1), numberText.FindAllString(got, -1), func(a, b string) bool {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && math.Abs(x-y) <= s.approx
	})
}
