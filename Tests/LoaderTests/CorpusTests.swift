import CLibELF
import Foundation
import LoaderCore
import LoaderFuzzing
import Testing

@testable import ELFFile

/// Every ELF program of this machine, and some that no machine has.
@Suite struct CorpusTests {
    private static let source = """
        #include <stdio.h>
        _Thread_local int counter[64] = {1, 2, 3};
        _Thread_local char zeroes[5000];
        static char bss[BSS];
        static const char text[] = "constant";
        int data[777] = {1};
        int main(int argc, char **argv) {
            bss[argc] = data[argc] + counter[argc] + zeroes[argc];
            return bss[argc] + text[argc];
        }
        """

    private static let variants: [(compiler: String, flags: [String])] = [
        ("gcc", ["-static"]),
        ("gcc", ["-static-pie"]),
        ("gcc", ["-static", "-Wl,-z,max-page-size=0x200000"]),
        ("gcc", ["-static-pie", "-Wl,-z,max-page-size=0x200000"]),
        ("gcc", ["-static", "-Wl,-z,noseparate-code"]),
        ("gcc", ["-static", "-Wl,-z,execstack"]),
        ("gcc", ["-static", "-Wl,-z,norelro", "-s"]),
        ("gcc", ["-static", "-Wl,-Ttext-segment=0x10000000"]),
        ("musl-gcc", ["-static"]),
        ("musl-gcc", ["-static", "-Wl,-N"]),
        ("musl-gcc", ["-static-pie", "-Wl,--no-dynamic-linker"]),
    ]

    @Test func compiledProgramsArePlannedAsReadelfSays() throws {
        for variant in Self.variants {
            for bss in [1, 4096, 100_000_000] {
                let flags = variant.flags + ["-DBSS=\(bss)"]
                let path = try BuiltProgram.compile(Self.source, variant.compiler, flags)
                let image = try ExecutableImage(path: path)
                #expect(image.interpreter == nil)
                try expectSameAsLibELF(image)
                try expectSameAsReadelf(image)
                #expect(image.plan.isPositionIndependent == flags[0].hasSuffix("pie"))
                #expect(image.plan.hasExecutableStack == flags.contains("-Wl,-z,execstack"))
                #expect(image.threadLocalSize >= 5256)
                let large = flags.contains { $0.contains("0x200000") }
                #expect(image.plan.alignment == (large ? 0x20_0000 : 4096))
            }
        }
    }

    @Test func basesAreAlignedAndRandom() throws {
        let flags = ["-static-pie", "-Wl,-z,max-page-size=0x200000", "-DBSS=1"]
        let path = try BuiltProgram.compile(Self.source, "gcc", flags)
        let file = try HostFile(path: path)
        let limits = AddressLimits.x86
        var generator = SeededGenerator(seed: 3)
        var seen: Set<UInt64> = []
        for _ in 0..<100 {
            let base = limits.randomizedBase(generator.next(), bits: 28)
            let plan = try LoadPlan(file, limits: limits, base: base)
            #expect(plan.bias % 0x20_0000 == 0)
            #expect(plan.addresses.lowerBound >= base)
            #expect(plan.addresses.lowerBound - base < 0x20_0000)
            #expect(plan.brokenPromise(fileSize: file.size, limits: limits) == nil)
            seen.insert(plan.bias)
        }
        #expect(seen.count > 90)
    }

    @Test func programsOfThisMachineArePlannedAsReadelfSays() throws {
        let files = InstalledPrograms.find()
        var statics = 0
        var others = 0
        for path in files {
            let image: ExecutableImage
            do throws(ProgramError) {
                image = try ExecutableImage(path: path)
            } catch {
                // Libraries have no entry; files of separate symbols have no contents.
                let isOther = path.contains(".so") || path.hasSuffix(".debug")
                #expect(isOther || error.reason.contains("library"), "\(error)")
                continue
            }
            try expectSameAsLibELF(image)
            guard image.interpreter == nil, !path.contains(".so") else {
                others += 1
                continue
            }
            statics += 1
            try expectSameAsReadelf(image)
        }
        print("corpus: \(files.count) files, \(statics) static, \(others) dynamic programs")
        #expect(statics >= 3)
    }

    /// Each loaded byte comes from where libelf's headers say, or is zero.
    private func expectSameAsLibELF(_ image: ExecutableImage) throws {
        let plan = image.plan
        let broken = plan.brokenPromise(fileSize: image.file.size, limits: .x86)
        #expect(broken == nil, "\(image.path)")
        let headers = try #require(image.elf).loadHeaders
        for (index, header) in headers.enumerated() where header.p_memsz > 0 {
            let fileEnd = header.p_vaddr + header.p_filesz
            let end = header.p_vaddr + header.p_memsz
            let samples = [
                header.p_vaddr, fileEnd &- 1, fileEnd, fileEnd | 0xfff, end - 1, end / 2,
            ]
            for address in samples where address >= header.p_vaddr && address < end {
                let found = ByteSource(plan, address &+ plan.bias)
                if address < fileEnd {
                    let offset = header.p_offset + address - header.p_vaddr
                    #expect(found?.origin == .file(offset), "\(image.path) \(index)")
                } else if header.p_flags & 2 != 0 || address & ~0xfff >= fileEnd {
                    #expect(found?.origin == .zero, "\(image.path) \(index)")
                }
                #expect(found?.protection == Self.protection(header.p_flags))
            }
        }
    }

    private static func protection(_ flags: UInt32) -> UInt8 {
        UInt8((flags & 4) >> 2 | (flags & 2) | (flags & 1) << 2)
    }

    /// libelf's headers are those that readelf prints, and so are entry and interpreter.
    private func expectSameAsReadelf(_ image: ExecutableImage) throws {
        let result = try BuiltProgram.run("/usr/bin/readelf", ["-lW", image.path])
        var loads: [[UInt64]] = []
        for line in result.output.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            let number = { (word: String) in UInt64(word.dropFirst(2), radix: 16) ?? .max }
            if line.hasPrefix("Entry point"), let last = words.last {
                #expect(number(last) &+ image.plan.bias == image.plan.entry)
            }
            guard words.first == "LOAD" else { continue }
            let flags = words[6..<(words.count - 1)].joined()
            loads.append([1, 2, 4, 5].map { number(words[$0]) } + [Self.flags(flags)])
        }
        let headers = try #require(image.elf).loadHeaders
        let ours = headers.map {
            [$0.p_offset, $0.p_vaddr, $0.p_filesz, $0.p_memsz, UInt64($0.p_flags & 7)]
        }
        #expect(loads == ours, "\(image.path)")
        #expect(!loads.isEmpty, "\(image.path)")
    }

    private static func flags(_ text: String) -> UInt64 {
        (text.contains("R") ? 4 : 0) | (text.contains("W") ? 2 : 0) | (text.contains("E") ? 1 : 0)
    }
}

/// Where a byte of a planned program comes from.
private struct ByteSource {
    enum Origin: Equatable {
        case file(UInt64)
        case zero
    }

    let origin: Origin
    let protection: UInt8

    init?(_ plan: LoadPlan, _ address: UInt64) {
        guard let mapping = plan.mappings.first(where: { $0.addresses.contains(address) }) else {
            return nil
        }
        protection = mapping.protection.rawValue
        if case .file(let offset) = mapping.source, !mapping.zeroFill.contains(address) {
            origin = .file(offset + address - mapping.addresses.lowerBound)
        } else {
            origin = .zero
        }
    }
}

/// Finds ELF files of this machine.
enum InstalledPrograms {
    private static let folders = [
        "/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib", "/usr/local", "/opt",
    ]

    /// Executable files of ELF64 for x86-64 that are no objects.
    static func find() -> [String] {
        var result: [String] = []
        for folder in folders { visit(folder, depth: 0, &result) }
        return result.sorted()
    }

    private static func visit(_ folder: String, depth: Int, _ result: inout [String]) {
        guard depth < 12, let handle = opendir(folder) else { return }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            let path = folder + "/" + name
            if entry.pointee.d_type == UInt8(DT_DIR) {
                visit(path, depth: depth + 1, &result)
            } else if entry.pointee.d_type == UInt8(DT_REG), isProgram(path) {
                result.append(path)
            }
        }
    }

    private static func isProgram(_ path: String) -> Bool {
        guard access(path, X_OK) == 0 else { return false }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 20)
        guard read(descriptor, &header, 20) == 20 else { return false }
        let isELF64 = header.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
        return isELF64 && (header[16] == 2 || header[16] == 3) && header[18] == 62
    }
}
