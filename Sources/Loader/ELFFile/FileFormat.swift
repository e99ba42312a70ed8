/// What a file that is not ELF seems to be, by its first bytes.
enum FileFormat: Equatable {
    case archive, gzip, xz, zstd, zip, tar, windows, mac, text, data

    init(_ bytes: [UInt8]) {
        let magics: [(FileFormat, [UInt8])] = [
            (.archive, Array("!<arch>".utf8)), (.archive, Array("!<thin>".utf8)),
            (.gzip, [0x1f, 0x8b]), (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a]),
            (.zstd, [0x28, 0xb5, 0x2f, 0xfd]), (.zip, Array("PK\u{3}\u{4}".utf8)),
            (.windows, Array("MZ".utf8)), (.mac, [0xcf, 0xfa, 0xed, 0xfe]),
            (.mac, [0xca, 0xfe, 0xba, 0xbe]),
        ]
        if let known = magics.first(where: { bytes.starts(with: $0.1) }) {
            self = known.0
        } else if bytes.dropFirst(257).starts(with: Array("ustar".utf8)) {
            self = .tar
        } else {
            self = bytes.allSatisfy(Self.isText) ? .text : .data
        }
    }

    var name: String {
        switch self {
        case .archive: "an archive of object files (.a)"
        case .gzip: "a gzip file"
        case .xz: "an xz file"
        case .zstd: "a zstd file"
        case .zip: "a zip file"
        case .tar: "a tar archive"
        case .windows: "a Windows program"
        case .mac: "a macOS program"
        case .text: "text without a #! line"
        case .data: "data of an unknown kind"
        }
    }

    var advice: String {
        switch self {
        case .archive: "link it into a program"
        case .gzip, .xz, .zstd, .zip, .tar: "unpack it, or give it as --rootfs and name a program"
        case .windows, .mac: "build it for x86-64 Linux"
        case .text: "write #!/path/of/interpreter as its first line, or run its interpreter"
        case .data: "name a program that was linked statically for x86-64 Linux"
        }
    }

    /// Printable ASCII, blanks, and whatever UTF-8 may hold.
    private static func isText(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7f) || (byte >= 0x09 && byte <= 0x0d) || byte == 0x1b
    }
}
