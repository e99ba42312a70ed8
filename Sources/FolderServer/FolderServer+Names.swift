import Glibc
import LinuxABI
import NineP
import TenderSupport

/// Names in folders.
extension FolderServer {
    /// Names with what they lead to, as many as fit; each tells where the next one is.
    func readDirectory(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let descriptor = try opened(try reader.take32())
        let offset = try reader.take64()
        let count = min(Int(try reader.take32()), writer.room - 4)
        let folder = try status(of: descriptor)
        guard lseek(descriptor, off_t(truncatingIfNeeded: offset), SEEK_SET) >= 0 else {
            throw lastError
        }
        // A record is never 1.25 times as long there as the host's (getdents(2)).
        var records = [UInt8](repeating: 0, count: count / 5 * 4)
        let length = Int(tender_read_directory(descriptor, &records, records.count))
        guard length >= 0 else { throw LinuxABI.Errno(rawValue: UInt16(-length)) }
        let start = writer.count
        writer.put32(0)
        records.withUnsafeBytes { records in
            var position = 0
            while position < length {
                let size = Int(
                    records.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self)
                )
                put(UnsafeRawBufferPointer(rebasing: records[position..<(position + size)]))
                position += size
            }
        }
        writer.replace32(at: start, UInt32(writer.count - start - 4))

        /// Writes one `struct linux_dirent64`.
        func put(_ record: UnsafeRawBufferPointer) {
            let kind = record[18]
            let end = record[19...].firstIndex(of: 0) ?? record.count
            let identity = FileIdentity(
                type: kind == DT_DIR
                    ? FileIdentity.directory : kind == DT_LNK ? FileIdentity.symbolicLink : 0,
                version: 0,
                path: path(record.loadUnaligned(as: UInt64.self), in: folder)
            )
            DirectoryRecord(
                identity: identity,
                next: record.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                kind: kind,
                name: UnsafeRawBufferPointer(rebasing: record[19..<end])
            ).write(to: &writer)
        }
    }

    // MARK: Making

    func makeDirectory(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let directory = try place(&reader)
        let name = try reader.takeText()
        let (mode, group) = (try reader.take32(), try reader.take32())
        try requireWritable()
        try withName(name) { (name) throws(LinuxABI.Errno) in
            try host(mkdirat(directory, name, mode & 0o1777))
        }
        try finish(name, directory, mode, group, &writer)
    }

    /// The target is a text: nobody here goes there.
    func makeSymbolicLink(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let directory = try place(&reader)
        let (name, target) = (try reader.takeText(), try reader.takeText())
        let group = try reader.take32()
        try requireWritable()
        try withName(name) { (name) throws(LinuxABI.Errno) in
            try withText(target) { (target) throws(LinuxABI.Errno) in
                try host(symlinkat(target, directory, name))
            }
        }
        try finish(name, directory, nil, group, &writer)
    }

    /// FIFOs alone: who opens a device of the folder would be the host.
    func makeNode(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let directory = try place(&reader)
        let name = try reader.takeText()
        let mode = try reader.take32()
        _ = try reader.take64()
        let group = try reader.take32()
        try requireWritable()
        guard mode & S_IFMT == S_IFIFO else { throw .notPermitted }
        try withName(name) { (name) throws(LinuxABI.Errno) in
            try host(mkfifoat(directory, name, mode & 0o777))
        }
        try finish(name, directory, mode, group, &writer)
    }

    /// Gives what was made its group and permissions, and tells what it is.
    private func finish(
        _ name: UnsafeRawBufferPointer,
        _ directory: Int32,
        _ mode: UInt32?,
        _ group: UInt32,
        _ writer: inout MessageWriter
    ) throws(LinuxABI.Errno) {
        let made = try find(name, in: directory)
        defer { close(made) }
        if let mode {
            own(made, mode, group)
        } else {
            _ = fchownat(made, "", .max, group, emptyPath)
        }
        writer.put(try identity(of: made))
    }

    func link(_ reader: inout MessageReader) throws(LinuxABI.Errno) {
        let directory = try place(&reader)
        let path = pathOfDescriptor(try place(&reader))
        let name = try reader.takeText()
        try requireWritable()
        try withName(name) { (name) throws(LinuxABI.Errno) in
            try host(linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW))
        }
    }

    // MARK: Moving and removing

    func rename(_ reader: inout MessageReader) throws(LinuxABI.Errno) {
        let from = try place(&reader)
        let oldName = try reader.takeText()
        let to = try place(&reader)
        let newName = try reader.takeText()
        try requireWritable()
        try withName(oldName) { (oldName) throws(LinuxABI.Errno) in
            try withName(newName) { (newName) throws(LinuxABI.Errno) in
                try host(renameat(from, oldName, to, newName))
            }
        }
    }

    func unlink(_ reader: inout MessageReader) throws(LinuxABI.Errno) {
        let directory = try place(&reader)
        let name = try reader.takeText()
        let flags = Int32(bitPattern: try reader.take32())
        try requireWritable()
        try withName(name) { (name) throws(LinuxABI.Errno) in
            try host(unlinkat(directory, name, flags & AT_REMOVEDIR))
        }
    }
}
