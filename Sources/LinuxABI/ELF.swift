/// The ELF64 file header, as `elf(5)` and the System V ABI's chapter 4 lay it out.
public struct ELFHeader: Sendable {
    /// Bytes of the header in a file.
    public static var size: Int { 64 }

    public let ident: (class: UInt8, byteOrder: UInt8, version: UInt8, osABI: UInt8)
    public let type: UInt16
    public let machine: UInt16
    public let version: UInt32
    public let entry: UInt64
    public let programHeaderOffset: UInt64
    public let sectionHeaderOffset: UInt64
    public let headerSize: UInt16
    public let programHeaderSize: UInt16
    public let programHeaderCount: UInt16

    /// Reads a header; `bytes` must hold at least `size` bytes. Checks nothing but that.
    public init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= ELFHeader.size)
        ident = (bytes[4], bytes[5], bytes[6], bytes[7])
        type = bytes.loadUnaligned(fromByteOffset: 16, as: UInt16.self)
        machine = bytes.loadUnaligned(fromByteOffset: 18, as: UInt16.self)
        version = bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self)
        entry = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        programHeaderOffset = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        sectionHeaderOffset = bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
        headerSize = bytes.loadUnaligned(fromByteOffset: 52, as: UInt16.self)
        programHeaderSize = bytes.loadUnaligned(fromByteOffset: 54, as: UInt16.self)
        programHeaderCount = bytes.loadUnaligned(fromByteOffset: 56, as: UInt16.self)
    }
}

/// One entry of the ELF64 program header table, `Elf64_Phdr`.
public struct ELFProgramHeader: Sendable {
    /// Bytes of one entry in a file.
    public static var size: Int { 56 }

    public let type: UInt32
    public let flags: UInt32
    public let offset: UInt64
    public let virtualAddress: UInt64
    public let fileSize: UInt64
    public let memorySize: UInt64
    public let alignment: UInt64

    /// Reads an entry; `bytes` must hold at least `size` bytes. Checks nothing but that.
    public init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= ELFProgramHeader.size)
        type = bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
        flags = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        offset = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        virtualAddress = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        fileSize = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        memorySize = bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
        alignment = bytes.loadUnaligned(fromByteOffset: 48, as: UInt64.self)
    }
}

/// Constants of ELF64 that a loader of executables needs.
public enum ELF {
    /// `\x7fELF`, as a little-endian word.
    public static var magic: UInt32 { 0x464c_457f }
    /// ELFCLASS64
    public static var class64: UInt8 { 2 }
    /// ELFDATA2LSB
    public static var littleEndian: UInt8 { 1 }
    /// EV_CURRENT
    public static var currentVersion: UInt32 { 1 }
    /// EM_X86_64
    public static var machineX86: UInt16 { 62 }

    /// `e_type`
    public enum FileType {
        /// ET_REL
        public static var relocatable: UInt16 { 1 }
        /// ET_EXEC
        public static var executable: UInt16 { 2 }
        /// ET_DYN: a shared object, or a position-independent executable.
        public static var dynamic: UInt16 { 3 }
        /// ET_CORE
        public static var core: UInt16 { 4 }
    }

    /// `p_type`
    public enum SegmentType {
        /// PT_LOAD
        public static var load: UInt32 { 1 }
        /// PT_DYNAMIC
        public static var dynamic: UInt32 { 2 }
        /// PT_INTERP
        public static var interpreter: UInt32 { 3 }
        /// PT_NOTE
        public static var note: UInt32 { 4 }
        /// PT_TLS
        public static var threadLocal: UInt32 { 7 }
        /// PT_GNU_STACK
        public static var gnuStack: UInt32 { 0x6474_e551 }
    }

    /// `p_flags`
    public enum SegmentFlags {
        /// PF_X
        public static var execute: UInt32 { 1 }
        /// PF_W
        public static var write: UInt32 { 2 }
        /// PF_R
        public static var read: UInt32 { 4 }
    }
}
