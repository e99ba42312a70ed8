import Glibc

/// Where the program's bytes are.
enum ProgramSource: Equatable {
    /// A file of the host, by a path of the host.
    case hostFile(String)
    /// A path in the root image.
    case rootFile(String)
    /// A path of the guest that lies in a folder of the host.
    case volumeFile(String)
}

/// Finds the program that the user named.
///
/// A name with a slash is a path. A name without one is searched in `PATH`, as a shell does. With
/// a root image, what the host has not is looked for in the root.
struct ProgramLookup {
    var name: String
    var workingDirectory: String
    var root: RootSource?
    var volumes: [VolumeRequest] = []
    var searchPath: String

    /// Where programs of a root are looked for, as `docker run` does when an image names no `PATH`.
    static let rootSearchPath = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    ]

    func find() throws(LaunchFailure) -> ProgramSource {
        guard !name.isEmpty else {
            throw .notFound("''", "the name is empty; give the path of a program")
        }
        // Folders, whatever PATH holds.
        let isPath = name.contains("/") || name == "." || name == ".."
        return isPath ? try findPath() : try findName()
    }

    private func findPath() throws(LaunchFailure) -> ProgramSource {
        let guestPath = GuestPath.resolve(name, in: workingDirectory)
        // The innermost volume hides what lies there else.
        if let volume = volumes.last(where: { $0.hostPath(of: guestPath) != nil }) {
            guard fileStatus(volume.hostPath(of: guestPath)!) != nil else {
                throw .notFound(
                    name,
                    "the folder \(volume.folder), which is at \(volume.guestPath), has no such file"
                )
            }
            return .volumeFile(guestPath)
        }
        guard let root else {
            try requireHostFile()
            return .hostFile(name)
        }
        let isOfHost = access(name, F_OK) == 0
        let mayBeOfRoot = root.holdsProgram(guestPath) ?? true
        // The host's own /bin/ls cannot run on a foreign root's libraries: there the root's is meant.
        let meansRoot = name.hasPrefix("/") && mayBeOfRoot && !ProgramFile.isSelfContained(name)
        if isOfHost, !meansRoot { return .hostFile(name) }
        if mayBeOfRoot { return .rootFile(guestPath) }
        throw .notFound(name, "neither the host nor \(root.path) has such a file; check the path")
    }

    private func requireHostFile() throws(LaunchFailure) {
        guard access(name, F_OK) != 0 else { return }
        let reason = lastErrorText()
        guard errno == ENOENT || errno == ENOTDIR else { throw .cannotRun(name, reason) }
        throw .notFound(name, "\(reason); check the path")
    }

    private func findName() throws(LaunchFailure) -> ProgramSource {
        if let root {
            for directory in Self.rootSearchPath
            where root.holdsProgram("\(directory)/\(name)") == true {
                return .rootFile("\(directory)/\(name)")
            }
        }
        var foundButNotRunnable: String?
        for directory in searchPath.split(separator: ":", omittingEmptySubsequences: false) {
            let path = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
            guard let status = fileStatus(path), isKind(status, S_IFREG) else { continue }
            if access(path, X_OK) == 0 { return .hostFile(path) }
            foundButNotRunnable = foundButNotRunnable ?? path
        }
        if let foundButNotRunnable {
            throw .cannotRun(foundButNotRunnable, "it is not executable; try chmod +x")
        }
        throw .notFound(name, notInSearchPath())
    }

    private func notInSearchPath() -> String {
        if access(name, F_OK) == 0 {
            return "no such command in PATH; for the file in this folder write ./\(name)"
        }
        if root != nil {
            return "no such command in PATH; give its path in the root, as /bin/\(name)"
        }
        return "no such command in PATH; give the path of a program, as ./\(name)"
    }
}
