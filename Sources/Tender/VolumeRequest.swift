/// A folder of the host that the guest is to see, as `docker run -v` has it.
public struct VolumeRequest: Sendable, Equatable {
    /// A path of the host; relative to the working directory of `unirun`.
    public var folder: String
    /// Absolute, without `.` and `..`.
    public var guestPath: String
    public var isReadOnly = false

    /// `HOST:GUEST[:ro|:rw]`.
    public init(parsing text: String) throws(LaunchFailure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2 else {
            throw LaunchFailure(
                "volume '\(text)' has no place in the guest; write HOST:GUEST, as ./data:/data"
            )
        }
        guard parts.count <= 3, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw LaunchFailure("volume '\(text)' is not HOST:GUEST[:ro]; write it as ./data:/data")
        }
        (folder, guestPath) = (parts[0], parts[1])
        guard folder.contains("/") || folder == "." || folder == ".." else {
            throw LaunchFailure(
                "volume '\(folder)' is a name, and volumes with names are not there; "
                    + "for the folder here write ./\(folder)"
            )
        }
        guard guestPath.hasPrefix("/") else {
            throw LaunchFailure(
                "volume '\(text)': the path in the guest is not absolute; write \(folder):/\(guestPath)"
            )
        }
        guestPath = GuestPath.resolve(guestPath, in: "/")
        guard guestPath != "/" else {
            throw LaunchFailure(
                "volume '\(text)': the guest's root cannot be a volume; give a root by --rootfs"
            )
        }
        guard parts.count == 3 else { return }
        switch parts[2] {
        case "ro": isReadOnly = true
        case "rw": break
        default:
            throw LaunchFailure(
                "volume '\(text)': the mode '\(parts[2])' is not known; write ro, or nothing"
            )
        }
    }

    /// In the order in which they are mounted: what lies in another one comes after it.
    public static func list(_ texts: [String]) throws(LaunchFailure) -> [VolumeRequest] {
        var volumes: [VolumeRequest] = []
        for text in texts {
            let volume = try VolumeRequest(parsing: text)
            guard !volumes.contains(where: { $0.guestPath == volume.guestPath }) else {
                throw LaunchFailure(
                    "volume '\(text)': there is a volume at \(volume.guestPath) already; leave one out"
                )
            }
            let place = volumes.firstIndex { $0.depth > volume.depth } ?? volumes.endIndex
            volumes.insert(volume, at: place)
        }
        return volumes
    }

    private var depth: Int { guestPath.utf8.count { $0 == UInt8(ascii: "/") } }

    /// The path of the host that a path of the guest is, or nil when it is not in here.
    func hostPath(of path: String) -> String? {
        if path == guestPath { return folder }
        guard path.hasPrefix(guestPath + "/") else { return nil }
        return folder + path.dropFirst(guestPath.count)
    }
}
