import LinuxABI

extension OpenFile {
    /// What mmap(2) maps of the file. Throws `noSuchDevice` when it cannot be mapped, and
    /// `permissionDenied` when it is not open for reading.
    public final func mappingSource() throws(Errno) -> MappingSource {
        guard !flags.contains(.path) else { throw .badDescriptor }
        guard traits.contains(.readable) else { throw .permissionDenied }
        throw .noSuchDevice
    }
}
