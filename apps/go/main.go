// What Go's runtime asks of a kernel, in one program: goroutines on several threads, channels,
// timers, preemption by signals, a garbage collector under pressure, files, and panics.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func section(name string, body func()) {
	fmt.Println("==", name)
	body()
}

func main() {
	only := ""
	if len(os.Args) > 1 {
		only = os.Args[1]
	}
	sections := []struct {
		name string
		body func()
	}{
		{"goroutines", goroutines}, {"pipeline", pipeline}, {"select", selection},
		{"timers", timers}, {"mutexes", mutexes}, {"collector", collector}, {"maps", maps},
		{"preemption", preemption}, {"panics", panics}, {"faults", faults}, {"files", files},
		{"signals", signals}, {"stacks", stacks}, {"json", encoded},
	}
	for _, each := range sections {
		if only == "" || only == each.name {
			section(each.name, each.body)
		}
	}
	if only == "exit" {
		defer fmt.Println("never")
		os.Exit(7)
	}
	if only == "crash" {
		panic("left uncaught")
	}
	if only == "deadlock" {
		<-make(chan int)
	}
}

func goroutines() {
	const count = 10000
	var group sync.WaitGroup
	var sum int64
	for each := 0; each < count; each++ {
		group.Add(1)
		go func(value int64) {
			defer group.Done()
			runtime.Gosched()
			atomic.AddInt64(&sum, value)
		}(int64(each))
	}
	group.Wait()
	fmt.Println("sum", sum)
}

func pipeline() {
	numbers := make(chan int)
	go func(out chan int) {
		for n := 2; ; n++ {
			out <- n
		}
	}(numbers)
	// A sieve: one goroutine for each prime.
	for each := 0; each < 300; each++ {
		prime := <-numbers
		if each%50 == 49 {
			fmt.Println("prime", each+1, prime)
		}
		next := make(chan int)
		go func(in, out chan int) {
			for {
				if n := <-in; n%prime != 0 {
					out <- n
				}
			}
		}(numbers, next)
		numbers = next
	}
}

func selection() {
	left, right, quit := make(chan int, 1), make(chan int, 1), make(chan bool)
	go func() {
		for each := 0; each < 5000; each++ {
			if each%2 == 0 {
				left <- each
			} else {
				right <- each
			}
		}
		close(quit)
	}()
	sums := [2]int{}
	for done := false; !done || len(left)+len(right) > 0; {
		select {
		case n := <-left:
			sums[0] += n
		case n := <-right:
			sums[1] += n
		case <-quit:
			done, quit = true, nil
		}
	}
	fmt.Println("sums", sums)
	select {
	case <-make(chan int):
		fmt.Println("never")
	case <-time.After(5 * time.Millisecond):
		fmt.Println("timeout")
	}
}

func timers() {
	start := time.Now()
	var mutex sync.Mutex
	var order []int
	var group sync.WaitGroup
	for _, delay := range []int{90, 30, 60, 10} {
		delay := delay
		group.Add(1)
		time.AfterFunc(time.Duration(delay)*time.Millisecond, func() {
			mutex.Lock()
			order = append(order, delay)
			mutex.Unlock()
			group.Done()
		})
	}
	group.Wait()
	fmt.Println("order", order)
	elapsed := time.Since(start)
	fmt.Println("not early", elapsed >= 90*time.Millisecond)
	ticker := time.NewTicker(2 * time.Millisecond)
	for each := 0; each < 10; each++ {
		<-ticker.C
	}
	ticker.Stop()
	timer := time.NewTimer(time.Hour)
	fmt.Println("stopped", timer.Stop())
}

func mutexes() {
	var mutex sync.RWMutex
	var once sync.Once
	ready := sync.NewCond(&sync.Mutex{})
	waiting, total := 0, 0
	var group sync.WaitGroup
	for each := 0; each < 50; each++ {
		group.Add(1)
		go func() {
			defer group.Done()
			ready.L.Lock()
			waiting++
			ready.Wait()
			ready.L.Unlock()
			once.Do(func() { fmt.Println("once") })
			for round := 0; round < 200; round++ {
				mutex.Lock()
				total++
				mutex.Unlock()
				mutex.RLock()
				_ = total
				mutex.RUnlock()
			}
		}()
	}
	for {
		ready.L.Lock()
		all := waiting == 50
		ready.L.Unlock()
		if all {
			break
		}
		runtime.Gosched()
	}
	ready.L.Lock()
	ready.Broadcast()
	ready.L.Unlock()
	group.Wait()
	fmt.Println("total", total)
}

type tree struct {
	left, right *tree
	value       int
}

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{value: 1}
	}
	return &tree{grow(depth - 1), grow(depth - 1), depth}
}

func (t *tree) sum() int {
	if t == nil {
		return 0
	}
	return t.value + t.left.sum() + t.right.sum()
}

func collector() {
	debug.SetGCPercent(20)
	kept := grow(16)
	var group sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := 0; round < 12; round++ {
				if grow(13).sum() != 24561 {
					fmt.Println("a lost node")
				}
			}
		}()
	}
	group.Wait()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("kept", kept.sum(), "collected", stats.NumGC > 3)
	big := make([]byte, 200<<20)
	for at := 0; at < len(big); at += 4096 {
		big[at] = 1
	}
	big = nil
	debug.FreeOSMemory()
	runtime.ReadMemStats(&stats)
	fmt.Println("given back", stats.HeapReleased > 100<<20)
	debug.SetGCPercent(100)
}

func maps() {
	counts := map[string]int{}
	for each := 0; each < 200000; each++ {
		counts[fmt.Sprintf("key-%d", each*7919%50021)] += each
	}
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	sum := crc32.NewIEEE()
	for _, key := range keys {
		fmt.Fprintf(sum, "%s=%d;", key, counts[key])
	}
	fmt.Println("keys", len(keys), "sum", sum.Sum32())
	var shared sync.Map
	var group sync.WaitGroup
	for worker := 0; worker < 8; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for each := 0; each < 1000; each++ {
				shared.Store(each, each*2)
			}
		}(worker)
	}
	group.Wait()
	size := 0
	shared.Range(func(_, _ interface{}) bool { size++; return true })
	fmt.Println("shared", size)
}

func preemption() {
	previous := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(previous)
	var stop int32
	go func() {
		time.Sleep(20 * time.Millisecond)
		atomic.StoreInt32(&stop, 1)
	}()
	// No call in this loop: only a signal can take the processor away.
	spins := 0
	for atomic.LoadInt32(&stop) == 0 {
		spins++
	}
	fmt.Println("spun", spins > 0)
}

func panics() {
	deepest := func() (text string) {
		defer func() { text = fmt.Sprint(recover()) }()
		var list []int
		_ = list[len(os.Args)+5]
		return "never"
	}
	fmt.Println(deepest())
	err := fmt.Errorf("outer: %w", os.ErrNotExist)
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
}

func faults() {
	divide := func(by int) (text string) {
		defer func() { text = fmt.Sprint(recover()) }()
		return fmt.Sprint(10 / by)
	}
	fmt.Println(divide(0))
	follow := func(t *tree) (text string) {
		defer func() { text = fmt.Sprint(recover()) }()
		return fmt.Sprint(t.value)
	}
	for each := 0; each < 100; each++ {
		if follow(nil) != follow(nil) {
			fmt.Println("differs")
		}
	}
	fmt.Println(follow(nil))
}

func files() {
	must := func(err error) {
		if err != nil {
			fmt.Println("failed:", err)
		}
	}
	must(os.MkdirAll("files/deep/er", 0o755))
	for each := 0; each < 50; each++ {
		name := fmt.Sprintf("files/deep/file-%02d", each)
		must(os.WriteFile(name, []byte(strings.Repeat("line\n", each)), 0o640))
	}
	must(os.Rename("files/deep/file-07", "files/deep/er/moved"))
	must(os.Symlink("er/moved", "files/deep/link"))
	must(os.Remove("files/deep/file-08"))
	total, count := int64(0), 0
	must(filepath.Walk("files", func(path string, info fs.FileInfo, err error) error {
		must(err)
		if info.Mode().IsRegular() {
			total += info.Size()
			count++
		}
		return nil
	}))
	fmt.Println("files", count, "bytes", total)
	text, err := os.ReadFile("files/deep/link")
	fmt.Println("through the link", len(text), err)
	file, err := os.OpenFile("files/log", os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	must(err)
	writer := bufio.NewWriter(file)
	for each := 0; each < 10000; each++ {
		fmt.Fprintf(writer, "entry %d\n", each)
	}
	must(writer.Flush())
	_, err = file.Seek(0, io.SeekStart)
	must(err)
	sum := sha256.New()
	length, err := io.Copy(sum, file)
	must(err)
	fmt.Printf("log %d %x\n", length, sum.Sum(nil)[:8])
	must(file.Truncate(100))
	info, err := file.Stat()
	must(err)
	fmt.Println("size", info.Size(), info.Mode())
	must(file.Close())
	_, err = file.Write([]byte("x"))
	fmt.Println("closed:", errors.Is(err, fs.ErrClosed))
	_, err = os.Open("files/absent")
	fmt.Println(err)
	must(os.RemoveAll("files"))
	_, err = os.Stat("files")
	fmt.Println("gone", errors.Is(err, fs.ErrNotExist))
	reader, pipe, err := os.Pipe()
	must(err)
	go func() {
		for each := 0; each < 1000; each++ {
			fmt.Fprintf(pipe, "%d\n", each)
		}
		pipe.Close()
	}()
	through, err := io.ReadAll(reader)
	fmt.Println("pipe", len(through), err)
	must(reader.SetReadDeadline(time.Now()))
}

func signals() {
	caught := make(chan os.Signal, 10)
	signal.Notify(caught, syscall.SIGUSR1, syscall.SIGTERM)
	for _, number := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGUSR1} {
		if err := syscall.Kill(os.Getpid(), number); err != nil {
			fmt.Println(err)
		}
		fmt.Println(<-caught)
	}
	signal.Stop(caught)
	signal.Ignore(syscall.SIGUSR2)
	fmt.Println(syscall.Kill(os.Getpid(), syscall.SIGUSR2))
}

func recurse(depth int, salt *[64]int) int {
	var local [64]int
	local[depth%64] = depth + salt[(depth+1)%64]
	if depth == 0 {
		return local[0]
	}
	return recurse(depth-1, &local)%1000003 + depth
}

func stacks() {
	var group sync.WaitGroup
	results := make([]int, 8)
	for each := range results {
		group.Add(1)
		go func(each int) {
			defer group.Done()
			results[each] = recurse(20000+each, &[64]int{})
		}(each)
	}
	group.Wait()
	fmt.Println(results)
}

func encoded() {
	type item struct {
		Name  string             `json:"name"`
		Sizes []int              `json:"sizes"`
		Parts map[string]float64 `json:"parts"`
	}
	text, err := json.Marshal([]item{{"a", []int{1, 2}, map[string]float64{"x": 0.5, "b": 1e30}}})
	fmt.Println(string(text), err)
	var back []item
	err = json.Unmarshal(text, &back)
	fmt.Println(back, err)
}
