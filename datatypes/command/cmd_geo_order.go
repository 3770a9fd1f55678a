package command

import "slices"

// sortGeoPoints sorts results by distance as far as the first n of them need it.
//
// Members at the same distance have no order of their own, so which of them are among the first n depends on how it is
// done. Redis merges when it sorts all, which leaves them as they were; else it uses a quicksort that leaves out the parts
// beyond n. Both are done the same way here, so that the same members come out.
func sortGeoPoints(list []geoPoint, descending bool, n int) {
	order := func(a, b *geoPoint) int {
		switch {
		case a.dist > b.dist:
			return 1
		case a.dist < b.dist:
			return -1
		}
		return 0
	}
	if descending {
		ascending := order
		order = func(a, b *geoPoint) int { return ascending(b, a) }
	}
	if n == len(list) {
		slices.SortStableFunc(list, func(a, b geoPoint) int { return order(&a, &b) })
		return
	}
	quickselectGeo(list, order, n)
}

// quickselectGeo is the quicksort of J. L. Bentley and M. D. McIlroy (Engineering a sort function, 1993), which collects what
// equals the pivot at both ends of the list and then moves it to the middle, for the first n places only.
func quickselectGeo(list []geoPoint, order func(a, b *geoPoint) int, n int) {
	for n > 0 && len(list) >= 7 {
		pivot := geoPivot(list, order)
		list[0], list[pivot] = list[pivot], list[0]
		equalLow, low := 1, 1
		high, equalHigh := len(list)-1, len(list)-1
		for {
			for low <= high {
				c := order(&list[low], &list[0])
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
				c := order(&list[high], &list[0])
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
		for j := i; j > 0 && order(&list[j-1], &list[j]) > 0; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// geoPivot chooses a pivot: the middle, the median of three or, of a long list, of three medians.
func geoPivot(list []geoPoint, order func(a, b *geoPoint) int) int {
	n := len(list)
	median := func(a, b, c int) int {
		if order(&list[a], &list[b]) < 0 {
			switch {
			case order(&list[b], &list[c]) < 0:
				return b
			case order(&list[a], &list[c]) < 0:
				return c
			}
			return a
		}
		switch {
		case order(&list[b], &list[c]) > 0:
			return b
		case order(&list[a], &list[c]) < 0:
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
