import Foundation
import LinuxABI
import LoaderCore
import Testing

@testable import ELFFile

/// What people are told about files that cannot be run, and about those that can.
@Suite struct ProgramTests {
    private func message(_ name: String, _ bytes: [UInt8], mode: Int = 0o755) -> String {
        let path = BuiltProgram.folder.appendingPathComponent(name).path
        _ = FileManager.default.createFile(
            atPath: path,
            contents: Data(bytes),
            attributes: [.posixPermissions: mode]
        )
        return message(path).replacingOccurrences(of: path, with: name)
    }

    private func message(_ path: String, hasRootFileSystem: Bool = false) -> String {
        do throws(ProgramError) {
            _ = try Program.open(path, hasRootFileSystem: hasRootFileSystem)
            return "runs"
        } catch {
            #expect(!error.description.contains("\n"))
            return error.description
        }
    }

    @Test func missingFilesAndFolders() throws {
        #expect(
            message("/nonexistent/program")
                == "cannot run /nonexistent/program: no such file; check the path"
        )
        #expect(message("/usr") == "cannot run /usr: it is a directory; name the program's file")
        #expect(message("/dev/zero").contains("it is a device"))
        #expect(throws: ProgramError.self) { try HostFile(path: "/nonexistent") }
        let status = { (path: String) -> Int32? in
            do throws(ProgramError) {
                _ = try HostFile(path: path)
                return nil
            } catch { return error.exitStatus }
        }
        #expect(status("/nonexistent") == 127)
        #expect(status("/usr") == 126)
    }

    @Test func filesThatAreNotELF() {
        #expect(message("empty", []).hasPrefix("cannot run empty: the file is empty; "))
        #expect(message("text", Array("echo hello\n".utf8)).contains("text without a #! line"))
        #expect(message("a.a", Array("!<arch>\n".utf8)).contains("an archive of object files"))
        #expect(message("a.gz", [0x1f, 0x8b, 8, 0]).contains("a gzip file; unpack it"))
        #expect(message("a.exe", Array("MZ".utf8) + [0, 3]).contains("a Windows program"))
        #expect(message("noise", [1, 2, 3, 4]).contains("data of an unknown kind"))
        #expect(message("plain", ELFBuilder().build(), mode: 0o644).contains("chmod +x"))
    }

    @Test func elfFilesThatCannotRun() {
        let message = { (change: (inout ELFBuilder) -> Void) in
            var builder = ELFBuilder()
            change(&builder)
            return self.message("elf", builder.build())
        }
        #expect(message { _ in } == "runs")
        #expect(message { $0.fileSize = 40 }.contains("it ends after 40 bytes"))
        #expect(message { $0.fileClass = 1 }.contains("it is a 32-bit program; build it for"))
        #expect(message { $0.byteOrder = 2 }.contains("big-endian"))
        #expect(message { $0.machine = 183 }.contains("it is a program for arm64"))
        #expect(message { $0.type = ELF.FileType.relocatable }.contains("an object file"))
        #expect(message { $0.type = ELF.FileType.core }.contains("a core dump"))
        #expect(message { $0.count = 10_000 }.contains("it has 10000 program headers"))
        #expect(
            message { $0.segments[0].address = 0x7000_0000 }
                .contains("covers the kernel (0x70000000-0x7fffffff); link it at another")
        )
    }

    @Test func dynamicProgramNeedsItsInterpreter() {
        let without = message("/bin/true")
        #expect(without.contains("it is dynamically linked (its interpreter is /lib64/ld-linux"))
        #expect(without.contains("link it statically (-static), or give --rootfs"))
        #expect(message("/bin/true", hasRootFileSystem: true) == "runs")
    }

    @Test func scriptNeedsItsInterpreter() throws {
        let text = Array("#!/bin/sh -e\n".utf8)
        #expect(message("script.sh", text).contains("it is a script for /bin/sh"))
        #expect(message("none.sh", Array("#!\n".utf8)).contains("#! line names no interpreter"))
        let path = BuiltProgram.folder.appendingPathComponent("script.sh").path
        guard case .script("/bin/sh", "-e") = try Program.open(path, hasRootFileSystem: true)
        else {
            Issue.record("no script")
            return
        }
    }

    @Test func kindOfProgramIsTold() throws {
        let source = "_Thread_local int t[3]; int main(void) { return t[1]; }"
        let glibc = try ExecutableImage(path: BuiltProgram.compile(source))
        #expect(glibc.runtimeLibrary == .glibc)
        #expect(glibc.buildID?.count == 40)
        #expect(glibc.summary.hasPrefix("ELF64 x86-64, static, glibc, TLS"))
        #expect(!glibc.isStripped)
        let pie = try ExecutableImage(path: BuiltProgram.compile(source, "gcc", ["-static-pie"]))
        #expect(pie.summary.hasPrefix("ELF64 x86-64, static PIE, glibc, TLS"))
        let musl = try ExecutableImage(
            path: BuiltProgram.compile(source, "musl-gcc", ["-static"])
        )
        #expect(musl.runtimeLibrary == .musl)
        #expect(musl.threadLocalSize == 12)
        #expect(musl.summary.hasPrefix("ELF64 x86-64, static, musl"))
        let stripped = try ExecutableImage(
            path: BuiltProgram.compile(source, "gcc", ["-static", "-s"])
        )
        #expect(stripped.isStripped)
        #expect(stripped.symbols.isEmpty)
        #expect(stripped.summary.contains("stripped"))
    }

    @Test func symbolsAreThoseOfNm() throws {
        let path = try BuiltProgram.compile("int here(void) { return 1; } int main(void) {}")
        let image = try ExecutableImage(path: path)
        let output = try BuiltProgram.run("/usr/bin/nm", ["--defined-only", "-S", path]).output
        var checked = 0
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, "Tt".contains(words[2]) else { continue }
            guard let address = UInt64(words[0], radix: 16), let size = UInt64(words[1], radix: 16)
            else { continue }
            let found = image.symbols.symbol(containing: address)
            #expect(found?.offset == 0)
            #expect(found?.symbol.size == size, "\(line) \(String(describing: found))")
            checked += 1
        }
        #expect(checked > 500)
        let here = try #require(image.symbols.symbols.first { $0.name == "here" })
        #expect(image.symbols.describe(here.address) == "here")
        #expect(image.symbols.describe(here.address + 1) == "here+0x1")
        #expect(image.symbols.describe(0) == nil)
    }

    @Test func goProgramsHaveSymbolsToo() throws {
        let path = "/usr/lib/go-1.19/bin/gofmt"
        guard access(path, R_OK) == 0 else { return }
        let image = try ExecutableImage(path: path)
        #expect(image.runtimeLibrary == .go)
        #expect(image.isStripped || image.symbols.symbols.contains { $0.name == "main.main" })
    }
}
