import Foundation

/// The kernel's ELF file beside the command.
struct KernelImage {
    let bytes: Data

    struct Segment {
        let kind: UInt32
        let isReadable: Bool
        let isWritable: Bool
        let isExecutable: Bool
        let offset: UInt64
        let address: UInt64
        let physicalAddress: UInt64
        let fileSize: UInt64
        let memorySize: UInt64
    }

    static let path = Command.path + ".kernel"
    static let debugPath = path + ".debug"
    static let isBuilt =
        access(path, R_OK) == 0 && access(debugPath, R_OK) == 0 && !Command.isNative

    /// The image as it is run, without symbols.
    static func stripped() throws -> KernelImage {
        KernelImage(bytes: try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    static func debug() throws -> KernelImage {
        KernelImage(
            bytes: try Data(contentsOf: URL(fileURLWithPath: debugPath), options: .alwaysMapped)
        )
    }

    /// A little-endian number.
    func load<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number {
        bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type))
        }
    }

    var entry: UInt64 { load(UInt64.self, at: 24) }

    /// Program headers, as elf(5) lays them out.
    var segments: [Segment] {
        let table = Int(load(UInt64.self, at: 32))
        let size = Int(load(UInt16.self, at: 54))
        return (0..<Int(load(UInt16.self, at: 56))).map { index in
            let header = table + index * size
            let flags = load(UInt32.self, at: header + 4)
            return Segment(
                kind: load(UInt32.self, at: header),
                isReadable: flags & 4 != 0,
                isWritable: flags & 2 != 0,
                isExecutable: flags & 1 != 0,
                offset: load(UInt64.self, at: header + 8),
                address: load(UInt64.self, at: header + 16),
                physicalAddress: load(UInt64.self, at: header + 24),
                fileSize: load(UInt64.self, at: header + 32),
                memorySize: load(UInt64.self, at: header + 40)
            )
        }
    }

    /// The value of a symbol, of the image that has them.
    func address(of name: String) throws -> UInt64 {
        guard let address = Self.symbols[name] else {
            throw BuildFailure(description: "the kernel image has no symbol \(name)")
        }
        return address
    }

    private static let symbols: [String: UInt64] = {
        let list = try? Execution.run(
            ["/usr/bin/nm", debugPath],
            environment: ["PATH=/usr/bin:/bin"],
            timeLimit: 60
        )
        var symbols: [String: UInt64] = [:]
        for line in (list?.outputText ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let address = UInt64(words[0], radix: 16) else { continue }
            symbols[String(words[2])] = address
        }
        return symbols
    }()
}
