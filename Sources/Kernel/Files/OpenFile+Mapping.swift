import LinuxABI

extension OpenFile: MappedName {
    /// Appends the path as /proc/PID/maps and /proc/PID/fd show it.
    public func appendMappedPath(to text: inout [UInt8]) {
        var buffer = TextBuffer()
        appendPath(to: &buffer)
        text += buffer.bytes
    }

    final func appendPath(to text: inout TextBuffer) {
        guard let dentry else { return describe(into: &text) }
        VFS.appendPath(of: dentry, to: &text)
    }

    public var mappedFilesystem: AnyObject? { dentry?.mount }

    /// What mmap(2) maps of the file. Throws `noSuchDevice` when it cannot be mapped, and
    /// `permissionDenied` when it is not open for reading.
    public final func mappingSource() throws(Errno) -> MappingSource {
        guard !flags.contains(.path) else { throw .badDescriptor }
        guard traits.contains(.readable) else { throw .permissionDenied }
        if mapsAnonymous { return .anonymous }
        guard let mappable else { throw .noSuchDevice }
        return .file(
            mappable,
            name: self,
            mayWrite: traits.contains(.writable),
            mayExecute: dentry?.mount?.mountOptions.contains(.noExecution) != true
        )
    }
}

extension VFS {
    /// Appends the path of a name as seen from the current process's root.
    static func appendPath(of dentry: Dentry, to text: inout TextBuffer) {
        dentry.appendPath(to: &text, from: Process.current.paths.root)
        if dentry.isRemoved { text.append(" (deleted)") }
    }
}
