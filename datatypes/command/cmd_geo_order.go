package command

import "slices"

// sortGeoPoints sorts results by distance as far as the first n of them need it.
//
// Members at the same distance have no order of their own, so which of them are among the first n depends on how it is
// done. Redis merges when it sorts all, which leaves them as they were; else it uses a quicksort that leaves out the parts
// beyond n. Both are done the same way here, so that the same members come out.
func sortGeoPoints(list []geoPoint, descending bool, n int) {
	order := geoNearest
	if descending {
		order = geoFarthest
	}
	if n == len(list) {
		slices.SortStableFunc(list, func(a, b geoPoint) int { return order(a.dist, b.dist) })
		return
	}
	quickselectGeo(list, order, n)
}

// geoNearest and geoFarthest order distances. One that is no number equals any: points that lie opposite of each other
// may have one.
func geoNearest(a, b float64) int {
	switch {
	case a > b:
		return 1
	case a < b:
		return -1
	}
	return 0
}

func geoFarthest(a, b float64) int { return geoNearest(b, a) }

// quickselectGeo is the quicksort of J. L. Bentley and M. D. McIlroy (Engineering a sort function, 1993), which collects what
// equals the pivot at both ends of the list and then moves it to the middle, for the first n places only.
func quickselectGeo(list []geoPoint, order func(a, b float64) int, n int) {
	for n > 0 && len(list) >= 7 {
		pivot := geoPivot(list, order)
		list[0], list[pivot] = list[pivot], list[0]
		equalLow, low := 1, 1
		high, equalHigh := len(list)-1, len(list)-1
		for {
			for low <= high {
				c := order(list[low].dist, list[0].dist)
				if c > 0 {
					break
				}
				if c == 0 {
					list[equalLow], list[low] = list[low], list[equalLow]
					equalLow++
				}
				low++
			}
			for low <= high {
				c := order(list[high].dist, list[0].dist)
				if c < 0 {
					break
				}
				if c == 0 {
					list[high], list[equalHigh] = list[equalHigh], list[high]
					equalHigh--
				}
				high--
			}
			if low > high {
				break
			}
			list[low], list[high] = list[high], list[low]
			low++
			high--
		}
		less, more := low-equalLow, equalHigh-high
		swapGeo(list, 0, low-min(equalLow, less), min(equalLow, less))
		tail := min(more, len(list)-1-equalHigh)
		swapGeo(list, low, len(list)-tail, tail)
		if less > 1 {
			quickselectGeo(list[:less], order, min(n, less))
		}
		if more <= 1 {
			return
		}
		n -= len(list) - more
		list = list[len(list)-more:]
	}
	if n <= 0 {
		return
	}
	for i := range list {
		for j := i; j > 0 && order(list[j-1].dist, list[j].dist) > 0; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// geoPivot chooses a pivot: the middle, the median of three or, of a long list, of three medians.
func geoPivot(list []geoPoint, order func(a, b float64) int) int {
	n := len(list)
	median := func(a, b, c int) int {
		if order(list[a].dist, list[b].dist) < 0 {
			switch {
			case order(list[b].dist, list[c].dist) < 0:
				return b
			case order(list[a].dist, list[c].dist) < 0:
				return c
			}
			return a
		}
		switch {
		case order(list[b].dist, list[c].dist) > 0:
			return b
		case order(list[a].dist, list[c].dist) < 0:
			return a
		}
		return c
	}
	low, middle, high := 0, n/2, n-1
	if n == 7 {
		return middle
	}
	if n > 40 {
		d := n / 8
		low = median(low, low+d, low+2*d)
		middle = median(middle-d, middle, middle+d)
		high = median(high-2*d, high-d, high)
	}
	return median(low, middle, high)
}

// swapGeo exchanges n elements from a on with those from b on.
func swapGeo(list []geoPoint, a, b, n int) {
	for i := range n {
		list[a+i], list[b+i] = list[b+i], list[a+i]
	}
}
