//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

var errNeedsLinux = errors.New("processor time and memory of another process are read as Linux shows them: run this on Linux")

func ownSession() *syscall.SysProcAttr { return nil }

func processorTime(int) (time.Duration, error) { return 0, errNeedsLinux }

func residentBytes(int) (float64, error) { return 0, errNeedsLinux }

func sleepExactly(d time.Duration) { time.Sleep(d) }

func raiseFileLimit() error { return errNeedsLinux }

func (rawLoop) run(*server, int) (loopResult, error) { return loopResult{}, errNeedsLinux }
