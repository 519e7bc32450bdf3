// What a request costs under Coraza: the same requests and rules as ours. Counted is what the
// program uses of a processor, its garbage collector included.
//
//	rivals RULES REQUESTS
//
// The arguments and what is printed are those of rivals.cc.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/corazawaf/coraza/v3"
)

type request struct {
	method, uri, protocol string
	headers               [][2]string
	body                  []byte
}

func main() {
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithDirectivesFromFile(os.Args[1]))
	fail(err)
	requests := read(os.Args[2])
	half := len(requests) / 2
	for _, request := range requests[:half] {
		run(waf, request)
	}
	began := cpu()
	for _, request := range requests[half:] {
		run(waf, request)
	}
	fmt.Printf("%.1f\n", (cpu()-began)/float64(len(requests)-half))
}

func run(waf coraza.WAF, request request) {
	tx := waf.NewTransaction()
	tx.ProcessConnection("127.0.0.1", 443, "127.0.0.1", 443)
	tx.ProcessURI(request.uri, request.method, request.protocol)
	for _, header := range request.headers {
		tx.AddRequestHeader(header[0], header[1])
	}
	tx.ProcessRequestHeaders()
	if len(request.body) > 0 {
		_, _, err := tx.WriteRequestBody(request.body)
		fail(err)
	}
	_, err := tx.ProcessRequestBody()
	fail(err)
	fail(tx.Close())
}

func read(path string) []request {
	file, err := os.Open(path)
	fail(err)
	defer file.Close()
	input := bufio.NewReader(file)
	var all []request
	for {
		var headBytes, bodyBytes int
		if _, err := fmt.Fscanf(input, "%d %d\n", &headBytes, &bodyBytes); err != nil {
			return all
		}
		bytes := make([]byte, headBytes+bodyBytes)
		_, err := io.ReadFull(input, bytes)
		fail(err)
		lines := strings.Split(string(bytes[:headBytes]), "\r\n")
		words := strings.Split(lines[0], " ")
		parsed := request{method: words[0], uri: words[1], protocol: words[2], body: bytes[headBytes:]}
		for _, line := range lines[1:] {
			if name, value, found := strings.Cut(line, ": "); found {
				parsed.headers = append(parsed.headers, [2]string{name, value})
			}
		}
		if bodyBytes > 0 {
			length := [2]string{"Content-Length", fmt.Sprint(bodyBytes)}
			parsed.headers = append(parsed.headers, length)
		}
		all = append(all, parsed)
	}
}

// cpu is what the program has used so far, in microseconds.
func cpu() float64 {
	var used syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	micros := func(time syscall.Timeval) float64 { return float64(time.Sec)*1e6 + float64(time.Usec) }
	return micros(used.Utime) + micros(used.Stime)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
