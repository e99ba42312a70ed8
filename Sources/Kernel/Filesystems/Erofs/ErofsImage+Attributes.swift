import LinuxABI

/// Extended attributes as the image has them: behind the inode, or once for all files that have the same.
extension ErofsImage {
    private static let headSize: UInt64 = 12

    /// `struct erofs_xattr_entry`; the name and the value follow it.
    private struct Entry: BitwiseCopyable {
        var nameCount: UInt8 = 0
        var prefix: UInt8 = 0
        var valueCount: UInt16 = 0

        static let size: UInt64 = 4
        /// Up to the next entry.
        var span: UInt64 { (Entry.size + UInt64(nameCount) + UInt64(valueCount) + 3) & ~3 }
    }

    /// Gives a new inode what the image says that it has. Throws `corruptFilesystem`, `noMemory`.
    func readAttributes(of node: ErofsNode, into inode: Inode) throws(Errno) {
        guard !node.attributes.isEmpty else { return }
        var sharedCount: UInt8 = 0
        try fill(&sharedCount, at: node.attributes.lowerBound + 4)
        var position = node.attributes.lowerBound + ErofsImage.headSize
        for _ in 0..<sharedCount {
            var place: UInt32 = 0
            guard position + 4 <= node.attributes.upperBound else { throw .corruptFilesystem }
            try fill(&place, at: position)
            _ = try readAttribute(at: attributesStart + UInt64(place) * 4, into: inode)
            position += 4
        }
        while position + Entry.size <= node.attributes.upperBound {
            let span = try readAttribute(at: position, into: inode)
            position += span
            guard position <= node.attributes.upperBound else { throw .corruptFilesystem }
        }
    }

    /// Reads one, and returns how many bytes it takes.
    private func readAttribute(at position: UInt64, into inode: Inode) throws(Errno) -> UInt64 {
        var entry = Entry()
        try fill(&entry, at: position)
        guard let prefix = ErofsImage.prefix(entry.prefix) else { return entry.span }
        let prefixCount = prefix.utf8CodeUnitCount
        let nameCount = prefixCount + Int(entry.nameCount)
        guard nameCount <= ExtendedAttributes.longestName else { throw .corruptFilesystem }
        let buffer = try KernelBuffer(nameCount + Int(entry.valueCount))
        buffer.bytes.copyMemory(
            from: UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefixCount)
        )
        try read(
            at: position + Entry.size,
            into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[prefixCount...])
        )
        let name = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<nameCount])
        let value = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[nameCount...])
        guard !name.contains(0) else { throw .corruptFilesystem }
        if AccessList.Kind(name) != nil {
            guard try AccessList(checking: value) != nil else { throw .corruptFilesystem }
        }
        try inode.setAttribute(name, UnsafeRawBufferPointer(value))
        return entry.span
    }

    private func fill<Value: BitwiseCopyable>(_ value: inout Value, at position: UInt64)
        throws(Errno)
    {
        try withUnsafeMutableBytes(of: &value) { (bytes) throws(Errno) in
            try read(at: position, into: bytes)
        }
    }

    /// What stands for a prefix; nil for those that no file here has.
    private static func prefix(_ number: UInt8) -> StaticString? {
        switch number {
        case 1: "user."
        case 2: "system.posix_acl_access"
        case 3: "system.posix_acl_default"
        case 4: "trusted."
        case 6: "security."
        default: nil
        }
    }
}
