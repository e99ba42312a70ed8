import Foundation
import Rewriter
import TestFiles
import Testing

/// A real program with every site patched beforehand is run on Linux: its stubs call an entry that
/// executes the one `syscall` left. Only sites whose jump a branch leads into are left out.
@Suite struct PatchedProgramTests {
    private static let busybox = Samples.all.first { $0.name == "busybox" }
    private static let musl = Samples.all.first { $0.name == "musl-files" }

    @Test(.enabled(if: busybox != nil))
    func busyboxWithEverySitePatchedDoesWhatItDid() throws {
        let original = try #require(PatchedProgramTests.busybox)
        let patched = try #require(patch(original))
        let commands = [
            ["sha256sum", original.path], ["ls", "-lR", "/usr/include/linux"],
            ["find", "/usr/include/linux", "-name", "*.h"], ["wc", original.path],
            ["awk", "BEGIN { for (i = 0; i < 99; i++) print i, i * i }"],
            ["sort", "-r", "/etc/services"], ["sed", "s/a/b/g", "/etc/passwd"],
            ["gzip", "-c", "/etc/services"], ["od", "-x", "/etc/passwd"], ["stat", "/etc/passwd"],
            ["tar", "-cf", "-", "/usr/include/asm-generic"], ["dd", "if=/etc/passwd", "bs=7"],
            ["sleep", "0.01"], ["readlink", "-f", "/bin/sh"], ["df", "/proc"], ["id"],
        ]
        for command in commands {
            let expected = try #require(Samples.run([original.path] + command), "\(command)")
            #expect(Samples.run([patched] + command) == expected, "\(command)")
        }
    }

    @Test(.enabled(if: musl != nil))
    func aMuslProgramWithEverySitePatchedDoesWhatItDid() throws {
        let original = try #require(PatchedProgramTests.musl)
        let patched = try #require(patch(original))
        let arguments = ["/etc/passwd", "/usr/include/asm-generic"]
        let expected = try #require(Samples.run([original.path] + arguments, status: 3))
        #expect(Samples.run([patched] + arguments, status: 3) == expected)
    }

    /// The path of a copy of `program` with stubs as further segments.
    private func patch(_ program: Samples.Program) -> String? {
        guard let data = FileManager.default.contents(atPath: program.path) else { return nil }
        var file = [UInt8](data)
        let sited = SitedProgram(
            name: program.name,
            text: program.text,
            address: program.textAddress,
            boundaries: Boundaries(program.text)
        )
        let memory = FakeCodeMemory(text: program.text, at: program.textAddress)
        let rewriter = Rewriter(entries: PatchedProgramTests.entries, windows: testWindows)
        var landings = 0
        for site in sited.boundaries.sites {
            let address = program.textAddress + UInt64(site)
            _ = rewriter.caught(site: address, number: sited.number(at: site), memory: memory)
            // Here no handler continues a trap.
            guard sited.isLanding(memory.text, at: site) else { continue }
            guard rewriter.restore(address..<address + 2, memory: memory) else { return nil }
            landings += 1
        }
        #expect(landings * 10 <= sited.boundaries.sites.count, "\(program.name)")
        file.replaceSubrange(
            program.textOffset..<program.textOffset + memory.text.count,
            with: memory.text
        )
        var segments = memory.pages.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        segments.insert((0x7000_0000, entryPage()), at: 0)
        add(segments, to: &file)
        let path = Samples.folder.appendingPathComponent("\(program.name)-patched").path
        return (try? writeExecutable(file, at: path)) == nil ? nil : path
    }

    private static let entries = StubEntries(keepingFlags: 0x7000_0000, losingFlags: 0x7000_0010)

    /// mov %rcx,saved(%rip); syscall; jmp *saved(%rip): good for one thread. The second entry also does
    /// cmp %eax,%ecx before the jump, by which all flags become others.
    private func entryPage() -> [UInt8] {
        let code: [UInt8] = [
            0x48, 0x89, 0x0d, 0xf9, 0, 0, 0, 0x0f, 0x05, 0xff, 0x25, 0xf1, 0, 0, 0, 0x90,
            0x48, 0x89, 0x0d, 0xe9, 0, 0, 0, 0x0f, 0x05, 0x39, 0xc1, 0xff, 0x25, 0xdf, 0, 0, 0,
        ]
        return code + [UInt8](repeating: 0, count: 4096 - code.count)
    }

    /// Appends pages to an ELF file as further segments, and a new table of program headers, in a
    /// segment of its own so that the program finds it in memory.
    private func add(_ segments: [(address: UInt64, bytes: [UInt8])], to file: inout [UInt8]) {
        let (size, offset) = (56, Int(word(at: 0x20, of: file)))
        let old = Int(file[0x38])
        var table = Array(file[offset..<offset + old * size])
        file += [UInt8](repeating: 0, count: (4096 - file.count % 4096) % 4096)
        let tablePage = (address: UInt64(0x6fff_f000), bytes: [UInt8](repeating: 0, count: 4096))
        for (index, segment) in ([tablePage] + segments).enumerated() {
            // PT_LOAD, readable, writable and executable.
            let words: [UInt64] = [
                1 | 7 << 32, UInt64(file.count + index * 4096), segment.address, segment.address,
                4096, 4096, 4096,
            ]
            for word in words { table += bytes(of: word) }
        }
        #expect(table.count <= 4096)
        file.replaceSubrange(0x20..<0x28, with: bytes(of: UInt64(file.count)))
        file[0x38] = UInt8(old + 1 + segments.count)
        file += table + [UInt8](repeating: 0, count: 4096 - table.count)
        for segment in segments { file += segment.bytes }
    }

    private func word(at offset: Int, of file: [UInt8]) -> UInt64 {
        file.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }

    private func bytes(of word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
    }
}
