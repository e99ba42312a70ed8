import LinuxABI

extension LoadPlan {
    /// Reads and checks the file header.
    static func readHeader(_ file: any ExecutableFile) throws(LoadError) -> ELFHeader {
        let size = file.size
        guard size > 0 else { throw .empty }
        var words = (
            UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0)
        )
        return try withUnsafeMutableBytes(of: &words) { bytes throws(LoadError) in
            let length = Int(min(size, UInt64(ELFHeader.size)))
            let start = UnsafeMutableRawBufferPointer(rebasing: bytes[..<length])
            guard try file.fill(start, at: 0) else { throw .truncatedHeader(size: size) }
            guard length >= 4, bytes.loadUnaligned(as: UInt32.self) == ELF.magic else {
                throw .notELF
            }
            guard length == ELFHeader.size else { throw .truncatedHeader(size: size) }
            let header = ELFHeader(UnsafeRawBufferPointer(bytes))
            try check(header, fileSize: size)
            return header
        }
    }

    private static func check(_ header: ELFHeader, fileSize: UInt64) throws(LoadError) {
        guard header.ident.class == ELF.class64 else {
            throw .wrongClass(header.ident.class)
        }
        guard header.ident.byteOrder == ELF.littleEndian else {
            throw .wrongByteOrder(header.ident.byteOrder)
        }
        guard header.machine == ELF.machineX86 else { throw .wrongMachine(header.machine) }
        guard header.version == ELF.currentVersion else { throw .wrongVersion(header.version) }
        guard header.type == ELF.FileType.executable || header.type == ELF.FileType.dynamic else {
            throw .notExecutable(type: header.type)
        }
        guard header.programHeaderCount > 0 else { throw .noProgramHeaders }
        guard header.programHeaderSize == ELFProgramHeader.size else {
            throw .wrongProgramHeaderSize(header.programHeaderSize)
        }
        let tableSize = UInt64(header.programHeaderCount) * UInt64(ELFProgramHeader.size)
        guard tableSize <= 65536 else {
            throw .tooManyProgramHeaders(header.programHeaderCount)
        }
        let offset = header.programHeaderOffset
        guard offset <= fileSize, tableSize <= fileSize - offset else {
            throw .programHeadersBeyondFile(offset: offset, fileSize: fileSize)
        }
    }
}
