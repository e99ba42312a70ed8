import LinuxABI

/// Attributes and names.
extension Client {
    /// Tgetattr
    public func attributes(_ file: UInt32) throws(Errno) -> FileAttributes {
        var writer = begin(.attributes, file)
        writer.put64(FileAttributes.basic)
        var answer = try ask(&writer)
        return try FileAttributes(&answer)
    }

    /// Tsetattr
    public func setAttributes(_ file: UInt32, _ request: AttributeRequest) throws(Errno) {
        var writer = begin(.setAttributes, file)
        request.write(to: &writer)
        try ask(&writer)
    }

    /// Tstatfs
    public func statistics(_ file: UInt32) throws(Errno) -> ServerStatistics {
        var writer = begin(.statistics, file)
        var answer = try ask(&writer)
        return try ServerStatistics(&answer)
    }

    /// Treadlink
    public func readLink(_ file: UInt32) throws(Errno) -> UnsafeRawBufferPointer {
        var writer = begin(.readLink, file)
        var answer = try ask(&writer)
        return try answer.takeText()
    }

    /// Tmkdir
    public func makeDirectory(
        _ name: UnsafeRawBufferPointer,
        in directory: UInt32,
        mode: UInt32,
        group: UInt32
    ) throws(Errno) {
        var writer = begin(.makeDirectory, directory)
        writer.put(name)
        writer.put32(mode)
        writer.put32(group)
        try ask(&writer)
    }

    /// Tsymlink
    public func makeSymbolicLink(
        _ name: UnsafeRawBufferPointer,
        in directory: UInt32,
        to target: UnsafeRawBufferPointer,
        group: UInt32
    ) throws(Errno) {
        var writer = begin(.symbolicLink, directory)
        writer.put(name)
        writer.put(target)
        writer.put32(group)
        try ask(&writer)
    }

    /// Tmknod of what is no device.
    public func makeNode(
        _ name: UnsafeRawBufferPointer,
        in directory: UInt32,
        mode: UInt32,
        group: UInt32
    ) throws(Errno) {
        var writer = begin(.makeNode, directory)
        writer.put(name)
        writer.put32(mode)
        writer.put64(0)
        writer.put32(group)
        try ask(&writer)
    }

    /// Tlink
    public func link(_ file: UInt32, as name: UnsafeRawBufferPointer, in directory: UInt32)
        throws(Errno)
    {
        var writer = begin(.link, directory)
        writer.put32(file)
        writer.put(name)
        try ask(&writer)
    }

    /// Trenameat
    public func rename(
        _ name: UnsafeRawBufferPointer,
        in directory: UInt32,
        to newName: UnsafeRawBufferPointer,
        in newDirectory: UInt32
    ) throws(Errno) {
        var writer = begin(.rename, directory)
        writer.put(name)
        writer.put32(newDirectory)
        writer.put(newName)
        try ask(&writer)
    }

    /// Tunlinkat
    public func unlink(_ name: UnsafeRawBufferPointer, in directory: UInt32, isDirectory: Bool)
        throws(Errno)
    {
        var writer = begin(.unlink, directory)
        writer.put(name)
        writer.put32(isDirectory ? PathFlags.removeDirectory.rawValue : 0)
        try ask(&writer)
    }
}
