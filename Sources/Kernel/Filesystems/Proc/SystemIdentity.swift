/// What the kernel calls itself: uname(2) and /proc tell the same.
public enum SystemIdentity {
    public static let name: StaticString = "Linux"
    /// The release of Linux whose behaviour is followed.
    public static let release: StaticString = "6.1.0-unirun"
    public static let version: StaticString = "#1 unirun"
    public static let machine: StaticString = "x86_64"
    /// At most 64 bytes.
    nonisolated(unsafe) public static var hostname: [UInt8] = [0x75, 0x6e, 0x69, 0x72, 0x75, 0x6e]
}
