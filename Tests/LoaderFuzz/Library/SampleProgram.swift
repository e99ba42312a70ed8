/// Small ELF programs with everything that the loader looks at, made without a compiler.
enum SampleProgram {
    /// At a fixed address: code, data with bss, TLS, notes, an interpreter.
    static func fixed() -> [UInt8] { make(type: 2, base: 0x40_0000) }

    static func relocatable() -> [UInt8] { make(type: 3, base: 0) }

    private struct Header {
        let type: UInt32
        let flags: UInt32
        let offset: UInt64
        let fileSize: UInt64
        let memorySize: UInt64
        let alignment: UInt64
    }

    private static let headers = [
        Header(type: 1, flags: 4, offset: 0, fileSize: 0x800, memorySize: 0x800, alignment: 0x1000),
        Header(
            type: 1,
            flags: 5,
            offset: 0x1000,
            fileSize: 0x900,
            memorySize: 0x900,
            alignment: 0x1000
        ),
        Header(
            type: 1,
            flags: 6,
            offset: 0x2000,
            fileSize: 0x123,
            memorySize: 0x5678,
            alignment: 0x20_0000
        ),
        Header(type: 7, flags: 4, offset: 0x2000, fileSize: 16, memorySize: 64, alignment: 64),
        Header(type: 4, flags: 4, offset: 0x400, fileSize: 36, memorySize: 36, alignment: 4),
        Header(
            type: 0x6474_e551,
            flags: 6,
            offset: 0,
            fileSize: 0,
            memorySize: 0,
            alignment: 16
        ),
        Header(type: 3, flags: 4, offset: 0x480, fileSize: 11, memorySize: 11, alignment: 1),
    ]

    private static func make(type: UInt16, base: UInt64) -> [UInt8] {
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        append(type, &bytes)
        append(UInt16(62), &bytes)
        append(UInt32(1), &bytes)
        for word in [base + 0x1010, 64, sectionTable] { append(UInt64(word), &bytes) }
        append(UInt32(0), &bytes)
        for half in [64, 56, headers.count, 64, 5, 4] { append(UInt16(half), &bytes) }
        for header in headers {
            append(header.type, &bytes)
            append(header.flags, &bytes)
            append(header.offset, &bytes)
            append(base + header.offset, &bytes)
            append(base + header.offset, &bytes)
            append(header.fileSize, &bytes)
            append(header.memorySize, &bytes)
            append(header.alignment, &bytes)
        }
        bytes += [UInt8](repeating: 0, count: 0x3000 - bytes.count)
        let note: [UInt8] = [4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0]
        bytes.replaceSubrange(0x400..<0x400 + note.count, with: note)
        bytes.replaceSubrange(0x480..<0x48b, with: Array("/lib/ld.so".utf8) + [0])
        // mov $60,%eax; xor %edi,%edi; syscall
        let code: [UInt8] = [0xb8, 0x3c, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]
        bytes.replaceSubrange(0x1010..<0x1010 + code.count, with: code)
        appendSections(base, &bytes)
        return bytes
    }

    private static let sectionTable: UInt64 = 0x3100

    /// Two symbols, the names, and a section table of code, symbols and names.
    private static func appendSections(_ base: UInt64, _ bytes: inout [UInt8]) {
        bytes += [UInt8](repeating: 0, count: 24)
        for (name, address) in [(UInt32(1), 0x1010), (8, 0x1020)] as [(UInt32, UInt64)] {
            append(name, &bytes)
            bytes += [0x12, 0, 1, 0]
            append(base + address, &bytes)
            append(UInt64(16), &bytes)
        }
        bytes += Array("\0_start\0second\0".utf8)
        bytes += [UInt8](repeating: 0, count: Int(sectionTable) - bytes.count)
        let sections: [[UInt64]] = [
            [0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 1, 6, base + 0x1000, 0x1000, 0x900, 0, 16, 0],
            [2, 2, 0, 0, 0x3000, 72, 3, 8, 24],
            [3, 3, 0, 0, 0x3048, 16, 0, 1, 0],
            [4, 3, 0, 0, 0x3048, 16, 0, 1, 0],
        ]
        for section in sections {
            append(UInt32(section[0]), &bytes)
            append(UInt32(section[1]), &bytes)
            for index in 2...5 { append(section[index], &bytes) }
            append(UInt32(section[6]), &bytes)
            append(UInt32(0), &bytes)
            append(section[7], &bytes)
            append(section[8], &bytes)
        }
    }

    private static func append<T: FixedWidthInteger>(_ value: T, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
    }
}
