import Foundation
import Testing

@testable import ELFFile

@Suite struct SystemCallScanTests {
    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        static void *work(void *argument) { usleep(1); return argument; }
        int main(void) {
            pthread_t thread;
            pthread_create(&thread, 0, work, 0);
            pthread_join(thread, 0);
            struct stat status;
            stat("/", &status);
            int file = open("/dev/zero", O_RDONLY);
            char bytes[4];
            read(file, bytes, sizeof bytes);
            close(file);
            free(malloc(1 << 20));
            syscall(SYS_getpid);
            syscall(SYS_gettid);
            printf("%d\\n", (int)getppid() > 0);
            return 0;
        }
        """

    /// Numbers of the calls that a program makes, by strace; `nil` where that may not trace.
    private func traced(_ program: String, _ arguments: [String] = []) throws -> Set<Int>? {
        let log = BuiltProgram.folder.appendingPathComponent("trace").path
        let strace = ["strace", "-f", "-n", "-qq", "-o", log, program] + arguments
        guard try BuiltProgram.run("/usr/bin/env", strace).status == 0 else { return nil }
        var numbers: Set<Int> = []
        let text = try String(contentsOfFile: log, encoding: .utf8)
        // The first call is the execve that started the program.
        for line in text.split(separator: "\n").dropFirst() {
            guard let start = line.firstIndex(of: "["), let end = line.firstIndex(of: "]") else {
                continue
            }
            let number = line[line.index(after: start)..<end].filter { $0 != " " }
            if let number = Int(number) { numbers.insert(number) }
        }
        return numbers
    }

    @Test(arguments: ["gcc", "musl-gcc"])
    func callsThatAreMadeWereFound(compiler: String) throws {
        let path = try BuiltProgram.compile(Self.source, compiler, ["-static"])
        let scan = try ExecutableImage(path: path).scanSystemCalls()
        for number in [0, 3, 9, 39, 110, 186, 231] {
            #expect(scan.numbers.contains(number), "\(number)")
        }
        if let traced = try traced(path) {
            #expect(traced.subtracting(scan.numbers) == [])
            #expect(traced.count > 10)
        }
        #expect(scan.numbers.allSatisfy { (0..<600).contains($0) }, "\(scan.numbers)")
        #expect(scan.legacySites.isEmpty)
    }

    @Test func sitesAreThoseOfObjdump() throws {
        for compiler in ["gcc", "musl-gcc"] {
            let path = try BuiltProgram.compile(Self.source, compiler, ["-static"])
            let scan = try ExecutableImage(path: path).scanSystemCalls()
            let output = try BuiltProgram.run("/usr/bin/objdump", ["-d", path]).output
            let lines = output.split(separator: "\n").filter { line in
                let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
                return columns.count == 3 && columns[2].hasPrefix("syscall")
            }
            let addresses = lines.compactMap { line in
                UInt64(line.prefix { $0 != ":" }.filter { $0 != " " }, radix: 16)
            }
            #expect(scan.sites.map(\.address) == addresses)
        }
    }

    @Test func strippedProgramsAreScannedToo() throws {
        let whole = try BuiltProgram.compile(Self.source, "gcc", ["-static"])
        let stripped = try BuiltProgram.compile(Self.source, "gcc", ["-static", "-s"])
        let first = try ExecutableImage(path: whole).scanSystemCalls()
        let second = try ExecutableImage(path: stripped).scanSystemCalls()
        #expect(first.sites.map(\.address) == second.sites.map(\.address))
        #expect(Set(first.numbers).subtracting(second.numbers) == [])
        #expect(second.sites.allSatisfy { $0.symbol == nil })
    }

    @Test func numberFromMemoryIsNotGuessed() throws {
        let source = """
            volatile long number = 39;
            int main(void) {
                long result;
                __asm__ volatile("int $0x80" :: "a"(20));
                __asm__ volatile("syscall" : "=a"(result) : "0"(number) : "rcx", "r11", "memory");
                return result < 0;
            }
            """
        let path = try BuiltProgram.compile(source)
        let scan = try ExecutableImage(path: path).scanSystemCalls()
        let site = try #require(scan.unresolved.first { $0.symbol?.hasPrefix("main") == true })
        #expect(site.numbers == [])
        #expect(scan.legacySites.count == 1)
    }

    @Test func installedProgramsMakeNoCallThatWasNotFound() throws {
        let runs: [(String, [String])] = [
            ("/bin/busybox", ["ls", "-l", "/"]), ("/bin/busybox", ["sha256sum", "/bin/busybox"]),
            ("/usr/lib/go-1.19/bin/gofmt", ["-h"]),
            ("/usr/lib/go-1.19/pkg/tool/linux_amd64/buildid", ["/bin/busybox"]),
        ]
        for (program, arguments) in runs where access(program, X_OK) == 0 {
            let scan = try ExecutableImage(path: program).scanSystemCalls()
            let missing = try traced(program, arguments)?.subtracting(scan.numbers) ?? []
            #expect(missing == [])
            #expect(scan.numbers.count > 10)
        }
    }
}
