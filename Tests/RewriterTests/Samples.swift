import Foundation

/// Real static programs that the tests decode and patch: built once a run, in a folder of its own.
enum Samples {
    struct Program {
        var name: String
        var path: String
        var text: [UInt8]
        var textAddress: UInt64
        /// Where the text is in the file.
        var textOffset: Int
        /// Linked for no particular address.
        var isPIE: Bool { textAddress < 0x40_0000 }
    }

    static let folder: URL = {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("unirun-rewriter-\(ProcessInfo.processInfo.processIdentifier)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.path
        atEnd { try? FileManager.default.removeItem(atPath: path) }
        return folder
    }()

    /// Every sample that this machine can provide; a missing compiler leaves its program out.
    static let all: [Program] = {
        var found: [Program] = []
        func add(_ name: String, _ path: String?) {
            guard let path, let program = load(name, path) else { return }
            found.append(program)
        }
        add("busybox", "/bin/busybox")
        add("glibc", compile("glibc", "c", cSource, ["gcc", "-O2", "-static"]))
        add("glibc-pie", compile("pie", "c", cSource, ["gcc", "-O2", "-static-pie", "-fPIE"]))
        add("musl", compile("musl", "c", cSource, ["musl-gcc", "-O2", "-static"]))
        add("musl-files", compile("files", "c", filesSource, ["musl-gcc", "-O2", "-static"]))
        add("c++", compile("cxx", "cc", cxxSource, ["g++", "-O2", "-static"]))
        add("go", compileGo())
        return found
    }()

    static func load(_ name: String, _ path: String) -> Program? {
        guard let file = FileManager.default.contents(atPath: path) else { return nil }
        let bytes = [UInt8](file)
        guard let section = textSection(of: bytes) else { return nil }
        let end = section.offset + section.size
        return Program(
            name: name,
            path: path,
            text: Array(bytes[section.offset..<end]),
            textAddress: section.address,
            textOffset: section.offset
        )
    }

    /// `.text`, by the section header table of an ELF64 file that a compiler wrote.
    private static func textSection(
        of file: [UInt8]
    ) -> (address: UInt64, offset: Int, size: Int)? {
        file.withUnsafeBytes { bytes -> (address: UInt64, offset: Int, size: Int)? in
            guard bytes.count > 64, bytes.loadUnaligned(as: UInt32.self) == 0x464c_457f else {
                return nil
            }
            func word(_ offset: Int) -> Int {
                Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            func half(_ offset: Int) -> Int {
                Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            }
            let table = word(0x28)
            let names = word(table + half(0x3e) * 64 + 0x18)
            for index in 0..<half(0x3c) {
                let header = table + index * 64
                let name = Int(bytes.loadUnaligned(fromByteOffset: header, as: UInt32.self))
                let found = bytes[(names + name)...].prefix(6)
                guard found.elementsEqual(Array(".text\0".utf8)) else { continue }
                return (UInt64(word(header + 0x10)), word(header + 0x18), word(header + 0x20))
            }
            return nil
        }
    }

    private static func compile(
        _ name: String,
        _ suffix: String,
        _ source: String,
        _ command: [String]
    ) -> String? {
        let input = folder.appendingPathComponent("\(name).\(suffix)").path
        let output = folder.appendingPathComponent(name).path
        guard (try? source.write(toFile: input, atomically: true, encoding: .utf8)) != nil else {
            return nil
        }
        return run(command + [input, "-o", output]) == nil ? nil : output
    }

    private static func compileGo() -> String? {
        let input = folder.appendingPathComponent("main.go").path
        let output = folder.appendingPathComponent("go").path
        guard (try? goSource.write(toFile: input, atomically: true, encoding: .utf8)) != nil else {
            return nil
        }
        let environment = ["CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": ""]
        let built = run(["go", "build", "-o", output, input], environment: environment)
        return built == nil ? nil : output
    }

    /// Runs a command of `PATH`; its standard output, or `nil` when it ended with another status.
    static func run(
        _ command: [String],
        environment: [String: String] = [:],
        status: Int32 = 0
    ) -> Data? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let isDone = process.terminationReason == .exit && process.terminationStatus == status
        return isDone ? data : nil
    }

    private static let cSource = """
        #include <fcntl.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/socket.h>
        #include <time.h>
        #include <unistd.h>
        static void *worker(void *p) { char b[8]; return read(0, b, 1) < 0 ? 0 : p; }
        int main(void) {
            pthread_t t;
            pthread_create(&t, 0, worker, 0);
            pthread_cancel(t);
            pthread_join(t, 0);
            int f = open("/dev/null", 2);
            if (write(f, "x", 1) != 1) return 1;
            close(f);
            struct timespec s = {0, 1};
            nanosleep(&s, 0);
            FILE *q = fopen("/x", "r");
            if (q) fclose(q);
            printf("%d %d %d\\n", getpid(), socket(1, 1, 0), system("true"));
        }
        """
    private static let filesSource = """
        #include <dirent.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/stat.h>
        #include <time.h>
        #include <unistd.h>
        int main(int argc, char **argv) {
            char line[200];
            FILE *f = fopen(argv[1], "r");
            while (f && fgets(line, sizeof line, f)) fputs(line, stdout);
            if (f) fclose(f);
            fflush(stdout);
            DIR *d = opendir(argv[2]);
            for (struct dirent *e; d && (e = readdir(d));) puts(e->d_name);
            fflush(stdout);
            struct stat s;
            int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
            ssize_t n = read(fd, line, 20);
            struct timespec t = {0, 1000};
            printf("%zd %d %d\\n", n, fstat(fd, &s), nanosleep(&t, 0));
            fflush(stdout);
            void *p[40];
            for (int i = 0; i < 40; i++) p[i] = memset(malloc(i * 9000), 1, i * 9000);
            for (int i = 0; i < 40; i++) free(p[i]);
            return write(1, line, n) == n && close(fd) == 0 ? 3 : 4;
        }
        """
    private static let cxxSource = """
        #include <filesystem>
        #include <iostream>
        #include <map>
        #include <thread>
        int main() {
            std::map<int, int> m;
            std::thread t([&] { m[1] = 2; });
            t.join();
            std::cout << m[1] << std::filesystem::exists("/") << "\\n";
        }
        """
    private static let goSource = """
        package main

        import (
            "fmt"
            "os"
            "sync"
            "time"
        )

        func main() {
            var group sync.WaitGroup
            for i := 0; i < 8; i++ {
                group.Add(1)
                go func() { defer group.Done(); time.Sleep(1); os.ReadFile("/") }()
            }
            group.Wait()
            fmt.Println(os.Getpid())
        }
        """
}

/// `atexit` takes a C function: the closures to run are kept here.
nonisolated(unsafe) private var exitActions: [() -> Void] = []

private func atEnd(_ action: @escaping () -> Void) {
    if exitActions.isEmpty { atexit { for action in exitActions { action() } } }
    exitActions.append(action)
}
