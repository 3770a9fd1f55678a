//go:build !linux

package main

func prefault() {}
